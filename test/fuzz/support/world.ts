/** What stands upstream: a control plane and sandboxes, in memory. All that arrives is kept for the law to judge. */

import { answerApp } from './app-answers.js';
import type { Arrived } from './arrived.js';
import { answerControl } from './control-answers.js';
import { answerEnvd } from './envd-answers.js';
import { upstreamSecret } from './secrets.js';
import type { LawfulSession } from './session.js';
import type { StrictOperation } from './strict-programs.js';

export interface Program {
  pid: number;
  sandboxId: string;
  tag: string | undefined;
  /** A terminal, any command, one that was granted by itself, or what strict mode does. */
  startedAs: 'pty' | 'run' | 'strict' | { command: string };
  /** Nobody's: the sandbox's own. */
  owner: { subject: string; user: string | undefined } | undefined;
}

/** How an upstream answers that is not at its best. */
export type Mood = 'well' | 'redirects' | 'fails' | 'lies' | 'breaks' | 'is down';

export interface World {
  /** Whether one address serves all sandboxes, or each has a host of its own. */
  place: 'address' | 'hosts';
  /** Live sandboxes, and whose they are. */
  sandboxes: Map<string, string>;
  /** Those that sleep, and those that did when the page asked. */
  paused: Set<string>;
  wasPaused: Set<string>;
  programs: Program[];
  /** The programs of strict mode by their texts. */
  strictPrograms: Map<string, StrictOperation>;
  envdMood: Mood;
  controlMood: Mood;
  /** Who is at it, for what is started meanwhile. */
  actor: LawfulSession | undefined;
  arrived: Arrived[];
}

export const addresses = { control: 'http://control.internal:3000', envd: 'http://sandboxes.internal:3002' };
/** Of envd, and of the other ports of a sandbox. */
export const portHost = /^https:\/\/(\d+)-([a-z0-9]+)\.e2b\.app$/;
export const envdPort = 49_983;

/** Whether a request is for the control plane. */
export function isControl({ url }: Pick<Arrived, 'url'>): boolean {
  return url.origin === addresses.control || url.origin === 'https://api.e2b.app';
}

/** The sandbox that a request would have reached. */
export function sandboxOf({ url, headers }: Arrived): string | undefined {
  return url.origin === addresses.envd ? headers.get('e2b-sandbox-id') : portHost.exec(url.origin)?.[2];
}

export function portOf({ url, headers }: Arrived): number {
  return Number(
    url.origin === addresses.envd ? headers.get('e2b-sandbox-port') : portHost.exec(url.origin)?.[1],
  );
}

/** What is under way to any world. */
export const under: { count: number } = { count: 0 };
/** What goes on between two of them, as of a terminal that is told of one and makes another. */
const restTurns = 5;

/** Resolves once nothing more arrives. */
export async function fetchSettled(): Promise<void> {
  for (let turns = 0; turns < restTurns; turns++) {
    if (under.count > 0) turns = 0;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Takes the place of the runtime's `fetch`. */
export function fetchInto(
  world: World,
): (url: string | URL | Request, init?: RequestInit) => Promise<Response> {
  return async (url, init) => {
    under.count++;
    try {
      const arrived = await arrivedOf(new Request(url, init));
      world.arrived.push(arrived);
      return answer(world, arrived);
    } finally {
      under.count--;
    }
  };
}

async function arrivedOf(request: Request): Promise<Arrived> {
  return {
    method: request.method,
    url: new URL(request.url),
    headers: new Map(request.headers),
    body: new Uint8Array(await request.arrayBuffer()),
    redirect: request.redirect,
  };
}

export function answer(world: World, arrived: Arrived): Response {
  const control = isControl(arrived);
  const mood = control ? world.controlMood : world.envdMood;
  const isApp = !control && portOf(arrived) !== envdPort;
  if (mood !== 'well' && !(isApp && mood !== 'is down')) return inMood(mood);
  if (control) return answerControl(world, arrived);
  const sandboxId = sandboxOf(arrived);
  if (sandboxId === undefined || !world.sandboxes.has(sandboxId) || world.paused.has(sandboxId)) {
    return Response.json({ sandboxId, message: 'The sandbox was not found', code: 502 }, { status: 502 });
  }
  return isApp ? answerApp(mood, arrived, sandboxId, portOf(arrived)) : answerEnvd(world, arrived, sandboxId);
}

function inMood(mood: Exclude<Mood, 'well'>): Response {
  const page = `<html>${upstreamSecret}</html>`;
  const headers = { 'content-type': 'text/html', 'set-cookie': upstreamSecret, 'x-internal': upstreamSecret };
  switch (mood) {
    case 'redirects':
      return new Response(page, {
        status: 307,
        headers: { ...headers, location: 'http://metadata.internal/' },
      });
    case 'fails':
      return new Response(page, { status: 500, headers });
    case 'lies':
      // A page of a proxy's, say; what is in it cannot be told from a file.
      return new Response('<html></html>', { status: 200, headers });
    case 'breaks': {
      const error = new TypeError(`read ${upstreamSecret}`);
      const body = new ReadableStream({ pull: (controller) => controller.error(error) });
      return new Response(body, { status: 200, headers: { 'content-type': 'application/connect+proto' } });
    }
    case 'is down':
      throw new TypeError(`connect ECONNREFUSED ${upstreamSecret}`);
  }
}
