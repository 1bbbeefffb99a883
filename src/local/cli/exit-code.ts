/** Go's words for signals, as envd uses them, by number from 1 on. */
const signals = [
  'hangup',
  'interrupt',
  'quit',
  'illegal instruction',
  'trace/breakpoint trap',
  'aborted',
  'bus error',
  'floating point exception',
  'killed',
  'user defined signal 1',
  'segmentation fault',
  'user defined signal 2',
  'broken pipe',
  'alarm clock',
  'terminated',
];

/** How a shell tells of a program's end: its exit status, or 128 and the number of the signal that ended it. */
export function exitCodeOf({ exitCode, error = '' }: { exitCode: number; error?: string }): number {
  if (exitCode >= 0) return exitCode;
  const word = /^signal: (.*?)(?: \(core dumped\))?$/.exec(error)?.[1] ?? '';
  return 128 + signals.indexOf(word) + 1;
}
