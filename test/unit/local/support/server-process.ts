import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import type { LocalServer } from '../../../../src/local/local-server.js';
import type { LocalServerOptions } from '../../../../src/local/options.js';
import { bundle, bundledEnvd } from './server.js';

/** A server in a process of its own. */
export interface ServerProcess extends LocalServer {
  readonly warnings: readonly string[];
  readonly child: ChildProcess;
  /** What it has left in the directory for temporary files. */
  readonly temporary: string;
}

let bundled: Promise<string> | undefined;

/**
 * Starts a server as `…wrapper node serve.mjs`. The wrapper, such as `unshare --mount`, must become the command,
 * not stay its parent. It has a directory for temporary files to itself, unless that of an earlier one is given.
 */
export async function startServerProcess(
  options: LocalServerOptions,
  wrapper: readonly string[] = [],
  temporary: string = temporaryDirectory(),
): Promise<ServerProcess> {
  bundled ??= bundle('test/unit/local/support/serve.ts', 'serve.mjs');
  const [script, envd] = [await bundled, await bundledEnvd()];
  // The native modules are looked for from where the server's code is.
  const modules = join(dirname(script), 'node_modules');
  if (!existsSync(modules)) symlinkSync(resolve('node_modules'), modules);
  // Whoever the wrapper makes of it has to be able to read them.
  for (const file of [script, envd]) chmodSync(dirname(file), 0o755);
  const [file = process.execPath, ...args] = [
    ...wrapper,
    process.execPath,
    script,
    JSON.stringify(options),
    envd,
  ];
  const child = spawn(file, args, {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { PATH: process.env.PATH, TMPDIR: temporary },
  });
  // It may have been killed.
  child.stdin.on('error', () => {});
  const exited = once(child, 'exit');
  const close = async (): Promise<void> => {
    child.stdin.end();
    await exited;
  };
  // By itself, since nobody sweeps after it here.
  onTestFinished(close);
  for await (const line of createInterface({ input: child.stdout })) {
    return { ...JSON.parse(line), child, temporary, close, [Symbol.asyncDispose]: close };
  }
  throw new Error('the server ended before it listened');
}

function temporaryDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), 'server-process-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  chmodSync(path, 0o1777);
  return path;
}
