/** Runs a program with the official package or with this one, as a process of its own. */

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

export interface ProgramRun {
  /** What it printed; ids and times are masked. */
  lines: string[];
  stderr: string;
  exitCode: number | null;
}

const root = fileURLToPath(new URL('../../../../', import.meta.url));

/** @param sdk what every `from 'e2b'` becomes. */
export async function runProgram(
  file: string,
  sdk: 'e2b' | 'e2b-edge',
  account: Record<string, string>,
): Promise<ProgramRun> {
  const { outputFiles } = await build({
    entryPoints: [file],
    bundle: true,
    packages: 'external',
    alias: { e2b: sdk },
    format: 'esm',
    target: 'node20',
    write: false,
    logLevel: 'error',
  });
  const child = spawn(process.execPath, ['--input-type=module', '-'], {
    cwd: root,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...account },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const killer = setTimeout(() => child.kill('SIGKILL'), 50_000);
  child.stdin.end(outputFiles[0]!.text);
  const [stdout, stderr, exitCode] = await Promise.all([
    textOf(child.stdout),
    textOf(child.stderr),
    new Promise<number | null>((resolve) => child.once('exit', resolve)),
  ]);
  clearTimeout(killer);
  return { lines: mask(stdout).trimEnd().split('\n'), stderr, exitCode };
}

function mask(text: string): string {
  return text
    .replace(/\bi[a-z0-9]{20}\b/g, '<sandbox>')
    .replace(/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, '<uuid>')
    .replace(/\b\d{4}-\d\d-\d\dT[\d:.]+Z\b/g, '<time>');
}

async function textOf(stream: AsyncIterable<unknown>): Promise<string> {
  let text = '';
  for await (const piece of stream) text += String(piece);
  return text;
}
