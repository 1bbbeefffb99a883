/**
 * What a terminal says by itself, when a program asks: device status and attributes, modes, colours, window
 * sizes, settings, focus. xterm gives it out by the same event as what the user types.
 */
const reply: RegExp =
  /^\x1b(?:\[(?:[?>]?[\d;]*[cnR]|\??[\d;]+\$y|[468];\d+;\d+t|[IO])|\][\d;]+;rgb:[^\x07\x1b]*(?:\x07|\x1b\\)|P[^\x1b]*\x1b\\)$/;

/** Whether data from a terminal is its own answer to a program. Shift+F3 looks the same as a cursor report. */
export function isTerminalReply(data: string): boolean {
  return reply.test(data);
}
