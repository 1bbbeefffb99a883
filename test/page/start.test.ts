/** `npm start` itself: its one line for programs, what it refuses, and its end. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';

const script = fileURLToPath(new URL('../../scripts/start.mjs', import.meta.url));
let child: ChildProcess | undefined;

afterEach(async () => {
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
});

function start(...args: string[]): ChildProcess {
  const { E2B_API_KEY: _key, ...env } = process.env;
  child = spawn(process.execPath, [script, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  return child;
}

async function firstLine(from: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: from.stdout! })) return line;
  throw new Error('It ended without a line.');
}

async function ended(from: ChildProcess): Promise<{ code: number | null; stderr: string }> {
  const pieces: string[] = [];
  from.stderr!.on('data', (piece) => pieces.push(String(piece)));
  const [code] = (await once(from, 'close')) as [number | null];
  return { code, stderr: pieces.join('') };
}

/** `fetch` does not let a test choose the Host. */
async function statusFor(url: string, host: string): Promise<number> {
  const sent = request(url, { headers: { host } }).end();
  const [answer] = (await once(sent, 'response')) as [import('node:http').IncomingMessage];
  answer.resume();
  return answer.statusCode ?? 0;
}

test('prints one line of JSON when the page answers, serves only its own names, and ends when told', async () => {
  const running = start('--port', '0', '--json');
  const { url } = JSON.parse(await firstLine(running)) as { url: string };
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);

  const page = await fetch(url);
  expect(page.status).toBe(200);
  expect(page.headers.get('content-security-policy')).toContain("script-src 'self'");
  expect(await page.text()).not.toMatch(/<script(?![^>]*\bsrc=)/);

  const { port } = new URL(url);
  expect(await statusFor(url, `localhost:${port}`)).toBe(200);
  expect(await statusFor(url, `evil.example:${port}`)).toBe(421);
  expect(await statusFor(`${url}/api/sandbox/sessions`, `evil.example:${port}`)).toBe(421);
  for (const path of ['/../package.json', '/%2e%2e/package.json', '/main.js.map.bak', '//etc/passwd']) {
    expect((await fetch(`${url}${path}`)).status).toBe(404);
  }
  const foreign = await fetch(`${url}/api/sandbox/sessions`, {
    method: 'POST',
    headers: { origin: 'https://evil.example', 'content-type': 'application/json' },
    body: '{}',
  });
  expect(foreign.status).toBe(403);

  const end = ended(running);
  running.kill('SIGTERM');
  expect((await end).code).toBe(0);
});

test('ends in order when Ctrl-C comes twice, from the terminal and from npm', async () => {
  const running = start('--port', '0', '--json');
  await firstLine(running);
  const end = ended(running);
  running.kill('SIGINT');
  await delay(5);
  running.kill('SIGINT');
  expect((await end).code).toBe(0);
  expect(readdirSync(tmpdir()).filter((name) => name.includes(`-${running.pid}-`))).toEqual([]);
});

test('a port that is taken is said, with what to do', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as { port: number };
  const { code, stderr } = await ended(start('--port', String(port)));
  taken.close();
  expect(code).toBe(1);
  expect(stderr).toContain(`Port ${port} is taken. Choose another with --port`);
  expect(stderr).not.toContain('    at ');
});

test.each([
  [['--port', 'http'], '--port is "http"'],
  [['--port', '99999'], '--port is "99999"'],
  [['--prot', '1'], '--prot'],
  [['--cloud'], 'E2B_API_KEY'],
])('%s is refused in words', async (args, words) => {
  const { code, stderr } = await ended(start(...args));
  expect(code).toBe(1);
  expect(stderr).toContain(words);
  expect(stderr).not.toContain('    at ');
});
