import type { CallOptions } from '../transport/call-options.js';
import {
  callback,
  callRules,
  flag,
  milliseconds,
  type Rule,
  type Rules,
  whole,
} from '../transport/check-options.js';
import { type InputSource, inputSource } from './input-source.js';
import type { OutputListeners } from './output-listeners.js';
import { directory, environment, linuxUser } from './process-rules.js';

interface CommandListenOptions extends CallOptions, OutputListeners {
  /**
   * How much output the handle keeps for `stdout`, `stderr`, the result, and for loops that come later, in bytes of both
   * together: the newest. Default: all. What was let go is counted in `dropped`, and a loop that comes later begins with
   * a `gap`. 0, for a command that prints for ever, leaves `stdout` and `stderr` empty.
   */
  maxRetainedBytes?: number;
  /**
   * For how long to try to come back to the command when its stream is lost, in milliseconds; 0 leaves it at that, with a
   * `connection_lost`. envd replays nothing: what was printed meanwhile is missing, which `gaps` counts and a `gap` among
   * the events shows. Default 60 000; for a `run` that is waited for 0, as a hole in its one result would go unseen.
   */
  reconnectMs?: number;
}

/** The default of `reconnectMs`. */
export const defaultReconnectMs = 60_000;

export interface CommandStartOptions extends CommandListenOptions {
  /** Gives the command's handle as soon as it runs, in the place of its result at its end. Default false. */
  background?: boolean;
  /**
   * Whether all of the output is kept in files of the sandbox, so that nothing of it is missed, whoever listens and when:
   * see `attach`. For `background: true`, with an API key. Default false.
   */
  durable?: boolean;
  /**
   * How much is kept of stdout, and as much of stderr, in bytes, for `durable`. The space is reserved when the command
   * starts. What is printed beyond is thrown away, and a `gap` says so. At least 4 096; default 64 MiB.
   */
  maxLogBytes?: number;
  /** The working directory. Default: the template's. A relative path is below the user's home. */
  cwd?: string;
  /** The Linux user. Default: the template's. Through a broker the session's user always wins. */
  user?: string;
  /** Added to the environment of the sandbox. */
  envs?: Record<string, string>;
  /**
   * Whether input can be sent with `sendStdin` (envd 0.3.0); or all of the input, after which it is ended (envd 0.5.2).
   * A stream is read as fast as the command reads. When it fails, the command is killed, and waiting for it gives what
   * the stream threw. Default false: the command reads an empty input.
   */
  stdin?: boolean | InputSource;
  /**
   * How long the command may live, in milliseconds; envd kills it then. 0 is for ever. Default 60 000, and for
   * `background: true` 0 (the official SDK kills those after 60 s as well).
   */
  timeoutMs?: number;
}

export interface CommandConnectOptions extends CommandListenOptions {
  /** How long to listen, in milliseconds; the command lives on. Default 0: until its end (in the official SDK 60 000). */
  timeoutMs?: number;
}

const retained: Rule = [
  'a whole number of bytes, from 0 on, or Infinity',
  (value) => value === Number.POSITIVE_INFINITY || (Number.isInteger(value) && value >= 0),
];

const input: Rule = [
  `true, false or ${inputSource[0]}`,
  (value) => typeof value === 'boolean' || inputSource[1](value),
];

export const connectRules: Rules<CommandConnectOptions> = {
  ...callRules,
  onStdout: callback,
  onStderr: callback,
  maxRetainedBytes: retained,
  reconnectMs: milliseconds,
  timeoutMs: milliseconds,
};

/** Those of some options that concern what a handle keeps and whom it tells. */
export function listening({
  onStdout,
  onStderr,
  maxRetainedBytes = Number.POSITIVE_INFINITY,
}: CommandConnectOptions): OutputListeners & { maxRetainedBytes: number } {
  return { ...(onStdout && { onStdout }), ...(onStderr && { onStderr }), maxRetainedBytes };
}

export const startRules: Rules<CommandStartOptions> = {
  ...connectRules,
  background: flag,
  durable: flag,
  maxLogBytes: whole(4096),
  cwd: directory,
  user: linuxUser,
  envs: environment,
  stdin: input,
};
