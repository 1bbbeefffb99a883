import { closingFds } from '../../os/inheritable-fds.js';
import { type Credentials, withGroups } from './credentials.js';
import type { ExitStatus } from './exit-status.js';

/** Which output of a process a chunk belongs to. */
export type OutputKind = 'stdout' | 'stderr' | 'pty';

export type OnOutput = (kind: OutputKind, chunk: Uint8Array) => void;

/** What a process is started with. Paths are those of this process's file system. */
export interface Launch {
  readonly cmd: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Whom to become; envd's own user when absent. */
  readonly credentials: Credentials | undefined;
}

/** A command as the kernel gets it, with what is to be done before it is run. */
export interface Wrapped {
  readonly file: string;
  readonly args: string[];
  /** Absent where the command changes them itself, or keeps envd's. */
  readonly ids: { readonly uid: number; readonly gid: number } | undefined;
}

/** A started process: its streams, without anyone listening yet. */
export interface Spawned {
  readonly pid: number;
  /** Settles once the process is reaped and all of its output was handed over. */
  readonly ended: Promise<ExitStatus>;
  /** Stop and restart reading; a process that goes on writing blocks. */
  pause(): void;
  resume(): void;
  /**
   * Signals the process alone, not its children, and from now on its end does not wait for those who still hold
   * the output open. Nothing more than that when it has ended already.
   */
  kill(signal: 'SIGTERM' | 'SIGKILL'): void;
  /** These two resolve once the kernel took all of it, and reject with what envd says. */
  writeStdin(data: Uint8Array): Promise<void>;
  writePty(data: Uint8Array): Promise<void>;
  closeStdin(): Promise<void>;
  /** Throws for a process without a terminal. */
  resize(cols: number, rows: number): void;
}

/**
 * What the kernel is told to run: a shell that only replaces itself. A missing program is then exit status 127
 * with the shell's words on stderr, and the pid is the program's own. The program becomes the first choice of
 * the kernel when memory runs out, before envd. `prepare` is what the shell does before.
 */
export function wrapped(launch: Launch, prepare = ':'): Wrapped {
  const script = `{ echo 100 >/proc/$$/oom_score_adj; ${prepare}; } 2>/dev/null; exec "$@"`;
  const shell = ['/bin/sh', '-c', script, '/bin/sh', launch.cmd, ...launch.args];
  const { command, ids } = withGroups(launch.credentials, shell);
  const [file, ...args] = command;
  return { ...closingFds([...openMasters], file!, args), ids };
}

/** The terminals' descriptors. node-pty leaves them open to every process that is started while they are. */
export const openMasters: Set<number> = new Set();
