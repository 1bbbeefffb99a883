import { type ParseArgsConfig, parseArgs } from 'node:util';

/** One word behind `e2b-edge`. */
export interface Command {
  /** For the list of commands. */
  readonly summary: string;
  /** All about it, with examples. */
  readonly help: string;
  /** Resolves to the exit code. */
  run(args: readonly string[]): Promise<number>;
}

/** A command line that makes no sense. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/** Something that keeps a command from being carried out, in words for whoever typed it. */
export class CommandError extends Error {
  override name = 'CommandError';
}

/** `parseArgs`, whose complaints are about usage. */
export function parse<T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

export function say(message: string): void {
  process.stderr.write(`e2b-edge: ${message}\n`);
}

export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
