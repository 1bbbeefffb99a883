/** How many bytes from the beginning of a file tell its type. */
export const sniffedBytes: number = 512;

const html = 'text/html; charset=utf-8';
const text = 'text/plain; charset=utf-8';

/** Tags that an HTML page begins with, in any case. */
const tags =
  /^(<!DOCTYPE HTML|<HTML|<HEAD|<SCRIPT|<IFRAME|<H1|<DIV|<FONT|<TABLE|<A|<STYLE|<TITLE|<B|<BODY|<BR|<P|<!--)[ >]/i;

/** Beginnings by type, as the MIME Sniffing Standard has them and Go goes by. A dot stands for any byte. */
const signatures: readonly [beginning: RegExp, type: string][] = [
  [/^%PDF-/s, 'application/pdf'],
  [/^%!PS-Adobe-/s, 'application/postscript'],
  [/^\xfe\xff../s, 'text/plain; charset=utf-16be'],
  [/^\xff\xfe../s, 'text/plain; charset=utf-16le'],
  [/^\xef\xbb\xbf./s, text],
  [/^\0\0[\x01\x02]\0/s, 'image/x-icon'],
  [/^BM/s, 'image/bmp'],
  [/^GIF8[79]a/s, 'image/gif'],
  [/^RIFF....WEBPVP/s, 'image/webp'],
  [/^\x89PNG\r\n\x1a\n/s, 'image/png'],
  [/^\xff\xd8\xff/s, 'image/jpeg'],
  [/^FORM....AIFF/s, 'audio/aiff'],
  [/^ID3/s, 'audio/mpeg'],
  [/^OggS\0/s, 'application/ogg'],
  [/^MThd\0\0\0\x06/s, 'audio/midi'],
  [/^RIFF....AVI /s, 'video/avi'],
  [/^RIFF....WAVE/s, 'audio/wave'],
];

const laterSignatures: readonly [beginning: RegExp, type: string][] = [
  [/^\x1a\x45\xdf\xa3/s, 'video/webm'],
  [/^.{34}LP/s, 'application/vnd.ms-fontobject'],
  [/^\0\x01\0\0/s, 'font/ttf'],
  [/^OTTO/s, 'font/otf'],
  [/^ttcf/s, 'font/collection'],
  [/^wOFF/s, 'font/woff'],
  [/^wOF2/s, 'font/woff2'],
  [/^\x1f\x8b\x08/s, 'application/x-gzip'],
  [/^PK\x03\x04/s, 'application/zip'],
  [/^Rar!\x1a\x07(\0|\x01\0)/s, 'application/x-rar-compressed'],
  [/^\0asm/s, 'application/wasm'],
];

/** What no text has: control characters beside white space, form feed and escape. */
const controls = /[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]/;

/** The media type of a file by its first `sniffedBytes`, or all of it when it has fewer. */
export function sniffedType(head: Buffer): string {
  const bytes = head.toString('latin1');
  const trimmed = bytes.replace(/^[\t\n\f\r ]+/, '');
  if (tags.test(trimmed)) return html;
  if (trimmed.startsWith('<?xml')) return 'text/xml; charset=utf-8';
  return (
    matching(signatures, bytes) ??
    (isMp4(head) ? 'video/mp4' : undefined) ??
    matching(laterSignatures, bytes) ??
    (controls.test(trimmed) ? 'application/octet-stream' : text)
  );
}

function matching(table: typeof signatures, bytes: string): string | undefined {
  return table.find(([beginning]) => beginning.test(bytes))?.[1];
}

/** The first box is of type `ftyp` and names a brand that begins with `mp4`, after its size and the version. */
function isMp4(head: Buffer): boolean {
  if (head.length < 12 || head.toString('latin1', 4, 8) !== 'ftyp') return false;
  const boxSize = head.readUInt32BE(0);
  if (boxSize > head.length || boxSize % 4 !== 0) return false;
  for (let at = 8; at < boxSize; at += 4) {
    if (at !== 12 && head.toString('latin1', at, at + 3) === 'mp4') return true;
  }
  return false;
}
