const footer = /*@__PURE__*/ new TextEncoder().encode('\nScript done on ');
/** A date and an exit code follow. */
const maxFooter = 128;
const lineEnd = 10;

/**
 * How many bytes at the end may belong to the line by which `script` ends its log, and are none of the terminal's. It is
 * written by one call, and nothing follows it.
 */
export function footerLength(data: Uint8Array): number {
  for (let at = Math.max(0, data.length - maxFooter); at < data.length; at++) {
    const rest = data.subarray(at);
    const next = rest.indexOf(lineEnd, 1);
    if (startsLikeFooter(rest) && (next < 0 || next === rest.length - 1)) return rest.length;
  }
  return 0;
}

/** Whether all of the footer that is always the same is here. */
export function isFooter(data: Uint8Array): boolean {
  return data.length >= footer.length && startsLikeFooter(data);
}

function startsLikeFooter(data: Uint8Array): boolean {
  return data.subarray(0, footer.length).every((byte, index) => byte === footer[index]);
}
