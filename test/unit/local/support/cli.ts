import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach } from 'vitest';
import type { LocalServer } from '../../../../src/local/local-server.js';
import { bundle, bundledEnvd } from './server.js';
import { until } from './until.js';

let built: Promise<string> | undefined;
const children: ChildProcess[] = [];
const directories: string[] = [];

afterEach(() => {
  for (const child of children.splice(0)) {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  }
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

/** The program as one file, in a package with what it looks for beside itself. */
export function builtCli(): Promise<string> {
  built ??= buildCli();
  return built;
}

async function buildCli(): Promise<string> {
  const cli = await bundle('src/cli.ts', 'node_modules/e2b-edge/dist/local/cli/cli.mjs');
  const root = join(dirname(cli), '../../..');
  mkdirSync(join(root, 'dist/local/envd'));
  copyFileSync(await bundledEnvd(), join(root, 'dist/local/envd/main.js'));
  copyFileSync('package.json', join(root, 'package.json'));
  symlinkSync(resolve('node_modules'), join(root, 'node_modules'));
  return cli;
}

/** A directory for `XDG_RUNTIME_DIR`, which keeps servers of different tests apart. Removed after the test. */
export function runtimeDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'cli-runtime-'));
  directories.push(directory);
  return directory;
}

export interface Run {
  readonly child: ChildProcess;
  readonly output: { stdout: string; stderr: string };
  /** Resolves when it has ended and all of its output is there. */
  readonly exit: Promise<number | null>;
}

/** Variables for the program; `undefined` removes one. */
export type Variables = Record<string, string | undefined>;

/** Runs the program, or a program that runs it. */
export async function startCli(
  args: readonly string[],
  variables: Variables = {},
  wrapper: readonly string[] = [],
): Promise<Run> {
  const [file = '', ...rest] = [...wrapper, process.execPath, await builtCli(), ...args];
  const clean = {
    E2B_API_KEY: undefined,
    E2B_API_URL: undefined,
    E2B_SANDBOX_URL: undefined,
    E2B_DOMAIN: undefined,
  };
  const runtime = existsSync(variables.XDG_RUNTIME_DIR ?? '') ? {} : { XDG_RUNTIME_DIR: runtimeDirectory() };
  const child = spawn(file, rest, { env: { ...process.env, ...clean, ...runtime, ...variables } });
  children.push(child);
  const output = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (chunk: string) => {
      output[stream] += chunk;
    });
  }
  return { child, output, exit: new Promise((done) => child.once('close', done)) };
}

/** Runs it to its end. */
export async function runCli(
  args: readonly string[],
  variables?: Variables,
  input: string | Buffer = '',
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const { child, output, exit } = await startCli(args, variables);
  child.stdin?.on('error', () => {}).end(input);
  const code = await exit;
  return { code, ...output };
}

/** The variables by which the program finds a server. */
export function variablesOf({ apiUrl, sandboxUrl, apiKey }: LocalServer): Variables {
  return { E2B_API_URL: apiUrl, E2B_SANDBOX_URL: sandboxUrl, E2B_API_KEY: apiKey };
}

/** The program in a terminal of 100 columns and 30 rows. */
export interface TerminalRun {
  send(text: string): void;
  resize(columns: number, rows: number): void;
  signal(number: number): void;
  /** Resolves when that has been printed, after what was waited for before. */
  shows(text: string): Promise<void>;
  readonly printed: string;
  readonly end: Promise<{ code: number; restored: boolean }>;
}

export async function startInTerminal(args: readonly string[], variables?: Variables): Promise<TerminalRun> {
  const script = resolve('test/unit/local/support/terminal.py');
  const { child, output, exit } = await startCli(args, variables, ['python3', script]);
  const step = (value: unknown): void => void child.stdin?.write(`${JSON.stringify(value)}\n`);
  let seen = 0;
  return {
    send: (text) => step({ send: text }),
    resize: (columns, rows) => step({ resize: [columns, rows] }),
    signal: (number) => step({ signal: number }),
    async shows(text) {
      await until(
        `it shows ${JSON.stringify(text)}: ${output.stderr}`,
        () => output.stdout.includes(text, seen),
        20_000,
      ).catch((error: Error) => {
        throw new Error(`${error.message}; it showed ${JSON.stringify(output.stdout.slice(seen))}`);
      });
      seen = output.stdout.indexOf(text, seen) + text.length;
    },
    get printed() {
      return output.stdout;
    },
    get end() {
      return exit.then(() => JSON.parse(output.stderr.trim().split('\n').at(-1)!));
    },
  };
}
