/** A runtime in a process of its own. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { CaseResult } from './define.js';
import type { CaseRequest } from './suite-handler.js';

export interface Program {
  /** What it printed: where it listens. */
  url: string;
  pid: number;
  /** All that it has written to its outputs since. */
  output(): string;
  close(): Promise<void>;
}

export interface RuntimeProcess {
  run(request: CaseRequest): Promise<CaseResult>;
  close(): Promise<void>;
}

const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Starts a program, which prints its address and ends with its standard input.
 * @param program the name of one in `node_modules/.bin`, or a path.
 */
export async function startProgram(
  program: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<Program> {
  const path = program.includes('/') ? program : `${root}node_modules/.bin/${program}`;
  const child = spawn(path, args, {
    cwd: root,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  let output = '';
  const collect = (text: string): void => {
    output += text;
  };
  child.stderr.setEncoding('utf8').on('data', collect).pipe(process.stderr);
  const exited = once(child, 'exit');
  const url = await new Promise<string>((resolve, reject) => {
    void exited.then(([code]) => reject(new Error(`${program} ended with ${code} before it listened.`)));
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      collect(text);
      const end = output.indexOf('\n', output.indexOf('http://'));
      if (end > 0) resolve(output.slice(output.indexOf('http://'), end));
    });
  });
  return {
    url,
    pid: child.pid as number,
    output: () => output,
    close: async () => {
      child.stdin.end();
      await exited;
    },
  };
}

/** Starts a program that serves the cases: see `suite-handler.ts`. */
export async function startRuntime(program: string, args: string[]): Promise<RuntimeProcess> {
  const { url, close } = await startProgram(program, args);
  return {
    run: async (request) => {
      const answer = await fetch(url, { method: 'POST', body: JSON.stringify(request) });
      if (!answer.ok) throw new Error(`${program} answered ${answer.status}: ${await answer.text()}`);
      return (await answer.json()) as CaseResult;
    },
    close,
  };
}
