/** A runtime in a process of its own, which serves the cases: see `suite-handler.ts`. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { CaseResult } from './define.js';
import type { CaseRequest } from './suite-handler.js';

export interface RuntimeProcess {
  run(request: CaseRequest): Promise<CaseResult>;
  close(): Promise<void>;
}

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Starts a program of `node_modules/.bin`, which prints its address and ends with its standard input. */
export async function startRuntime(program: string, args: string[]): Promise<RuntimeProcess> {
  const child = spawn(`${root}node_modules/.bin/${program}`, args, {
    cwd: root,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const url = await firstLine(child.stdout);
  if (url === undefined) throw new Error(`${program} ended with ${(await exited)[0]} before it listened.`);
  child.stdout.pipe(process.stderr);
  return {
    run: async (request) => {
      const answer = await fetch(url, { method: 'POST', body: JSON.stringify(request) });
      if (!answer.ok) throw new Error(`${program} answered ${answer.status}: ${await answer.text()}`);
      return (await answer.json()) as CaseResult;
    },
    close: async () => {
      child.stdin.end();
      await exited;
    },
  };
}

async function firstLine(output: NodeJS.ReadableStream): Promise<string | undefined> {
  const lines = createInterface({ input: output });
  for await (const line of lines) return line;
  return undefined;
}
