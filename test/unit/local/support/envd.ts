import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { type ClientHttp2Session, connect, type OutgoingHttpHeaders } from 'node:http2';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { Duplex } from 'node:stream';
import { bundledEnvd } from './server.js';

/** The program of one sandbox alone, without isolation and with nothing of the server around it. */
export interface Envd {
  readonly pid: number;
  /** The directory that is its `/`. */
  readonly root: string;
  readonly session: ClientHttp2Session;
  /** One request with its whole answer. */
  request(
    method: string,
    path: string,
    body?: unknown,
    headers?: OutgoingHttpHeaders,
  ): Promise<{ status: number; text: string }>;
  close(): Promise<void>;
}

/** `limits` are options of prlimit(1). */
export async function startEnvd(limits: readonly string[] = []): Promise<Envd> {
  const script = await bundledEnvd();
  linkModules(dirname(script));
  const root = mkdtempSync(join(tmpdir(), 'local-test-root-'));
  for (const path of ['home/user', 'root', 'run', 'tmp']) mkdirSync(join(root, path), { recursive: true });
  const [file, ...args] = [
    ...(limits.length > 0 ? ['prlimit', ...limits] : []),
    process.execPath,
    script,
    root,
  ];
  const child = spawn(file!, args, {
    cwd: '/',
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    detached: true,
  });
  const socket = child.stdio[3] as Duplex;
  const session = connect('http://envd', { createConnection: () => socket });
  session.on('error', () => {});
  return {
    pid: child.pid!,
    root,
    session,
    request: (method, path, body, headers) => request(session, method, path, body, headers),
    close: () => close(child, session, socket, root),
  };
}

/** node-pty is a file beside envd in a sandbox. */
function linkModules(directory: string): void {
  try {
    symlinkSync(resolve('node_modules'), join(directory, 'node_modules'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

function request(
  session: ClientHttp2Session,
  method: string,
  path: string,
  body: unknown,
  headers: OutgoingHttpHeaders = {},
): Promise<{ status: number; text: string }> {
  return new Promise((done, fail) => {
    const stream = session.request({
      ':method': method,
      ':path': path,
      'content-type': 'application/json',
      ...headers,
    });
    let status = 0;
    const chunks: Buffer[] = [];
    stream.once('response', (answer) => {
      status = answer[':status'] ?? 0;
    });
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.once('end', () => done({ status, text: Buffer.concat(chunks).toString('utf8') }));
    stream.once('error', fail);
    stream.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

async function close(
  child: ChildProcess,
  session: ClientHttp2Session,
  socket: Duplex,
  root: string,
): Promise<void> {
  const exited = new Promise<void>((done) => {
    if (child.exitCode !== null || child.signalCode !== null) done();
    else child.once('exit', () => done());
  });
  session.destroy();
  socket.destroy();
  await exited;
  rmSync(root, { recursive: true, force: true });
}
