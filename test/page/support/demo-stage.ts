/** What the page's tests run against: a local sandbox server, the demo's server as a process, and a browser. */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type LocalServer, startLocalServer } from 'e2b-edge/local';
import type { Browser } from 'playwright-core';
import { buildPage } from '../../../demo/build.mjs';
import { launchChromium } from './browser.js';
import { type CuttableProxy, startCuttableProxy } from './cuttable-proxy.js';

export interface DemoStage {
  readonly local: LocalServer;
  readonly browser: Browser;
  /** Between the browser and the demo's server; the browser does not know of it. */
  readonly proxy: CuttableProxy;
  readonly url: string;
  /** Kills the demo's server, as a crash would. */
  killHost(): Promise<void>;
  /** Starts it again at the same address, with another signing key. */
  startHost(): Promise<void>;
  close(): Promise<void>;
}

const childScript = fileURLToPath(new URL('./demo-child.mjs', import.meta.url));

/** @param makePage puts the page's files into a folder; by default the demo's. */
export async function startDemoStage(
  makePage: (folder: string) => Promise<unknown> = buildPage,
): Promise<DemoStage> {
  const folder = await mkdtemp(join(tmpdir(), 'e2b-edge-page-'));
  await makePage(folder);
  const local = await startLocalServer();
  const { apiKey, apiUrl, sandboxUrl } = local;
  const options = { service: { apiKey, apiUrl, sandboxUrl }, folder };
  let { child, url } = await spawnHost({ ...options, port: 0 });
  const address = new URL(url);
  const proxy = await startCuttableProxy(Number(address.port));
  // The page has to believe that it talks to the server itself: the server answers to its own address only.
  const browser = await launchChromium([`--host-resolver-rules=MAP ${address.host} 127.0.0.1:${proxy.port}`]);
  return {
    local,
    browser,
    proxy,
    url,
    killHost: () => kill(child),
    async startHost() {
      ({ child, url } = await spawnHost({ ...options, port: Number(address.port) }));
    },
    async close() {
      await browser.close();
      await proxy.close();
      await kill(child);
      await local.close();
      await rm(folder, { recursive: true });
    },
  };
}

async function spawnHost(options: object): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, [childScript, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    return { child, url: (JSON.parse(line) as { url: string }).url };
  }
  throw new Error(`The demo's server ended with ${child.exitCode} before it said where it is.`);
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await exited;
}
