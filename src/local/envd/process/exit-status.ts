import { constants } from 'node:os';

/** How a process ended, in the fields of `ProcessEvent.EndEvent`. */
export interface ExitStatus {
  readonly exitCode: number;
  readonly exited: boolean;
  readonly status: string;
  readonly error?: string;
}

/** Go's names of the signals; envd sends them as text. */
const signalTexts: Record<string, string> = {
  SIGHUP: 'hangup',
  SIGINT: 'interrupt',
  SIGQUIT: 'quit',
  SIGILL: 'illegal instruction',
  SIGTRAP: 'trace/breakpoint trap',
  SIGABRT: 'aborted',
  SIGBUS: 'bus error',
  SIGFPE: 'floating point exception',
  SIGKILL: 'killed',
  SIGUSR1: 'user defined signal 1',
  SIGSEGV: 'segmentation fault',
  SIGUSR2: 'user defined signal 2',
  SIGPIPE: 'broken pipe',
  SIGALRM: 'alarm clock',
  SIGTERM: 'terminated',
  SIGSTKFLT: 'stack fault',
  SIGXCPU: 'CPU time limit exceeded',
  SIGXFSZ: 'file size limit exceeded',
  SIGVTALRM: 'virtual timer expired',
  SIGPROF: 'profiling timer expired',
  SIGIO: 'I/O possible',
  SIGPWR: 'power failure',
  SIGSYS: 'bad system call',
};

/** The end of a process that left with this exit status. */
export function exitedWith(exitCode: number): ExitStatus {
  const status = `exit status ${exitCode}`;
  return { exitCode, exited: true, status, ...(exitCode !== 0 && { error: status }) };
}

/**
 * The end of a process that this signal ended: its name, or its number. envd adds “(core dumped)”; Node does not
 * tell of that, nor of real-time signals, which look like an exit with 0 where there is no terminal.
 */
export function endedBySignal(signal: string | number): ExitStatus {
  const [name, number] =
    typeof signal === 'string'
      ? [signal, constants.signals[signal as NodeJS.Signals]]
      : [nameOf(signal), signal];
  const status = `signal: ${signalTexts[name ?? ''] ?? `signal ${number}`}`;
  return { exitCode: -1, exited: false, status, error: status };
}

function nameOf(number: number): string | undefined {
  return Object.entries(constants.signals).find(([, value]) => value === number)?.[0];
}
