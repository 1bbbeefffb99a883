/** What a session may do to its sandbox itself, as `lifecycle` grants it. */

import { flag } from '../transport/check-options.js';
import { lifetime } from '../transport/lifetime.js';
import type { LifecycleGrant } from '../wire/session.js';
import { ownSession } from './bearer.js';
import { askControlPlane } from './control-plane.js';
import type { Exchange } from './exchange.js';
import { jsonResponse } from './json-response.js';
import { defaultTimeoutSeconds } from './mint-plan.js';
import { checkField, readJson } from './read-json.js';
import { invalidRequest, notGranted, sandboxPaused } from './refusals.js';
import type { SessionClaims } from './session-token.js';

/** The control plane's call that never brings an end nearer takes no more at once. */
const maxExtensionSeconds = 3600;

/** What a page may know of its sandbox: nothing that opens it, and nothing that the application keeps with it. */
const described = [
  'templateID',
  'alias',
  'sandboxID',
  'envdVersion',
  'state',
  'startedAt',
  'endAt',
  'cpuCount',
  'memoryMB',
  'diskSizeMB',
] as const;

const words: Record<LifecycleGrant, string> = {
  info: 'see what is known of the sandbox',
  extend: 'put off the end of the sandbox',
  pause: 'pause or resume the sandbox',
  kill: 'kill the sandbox',
};

/** `GET /sessions/:id`: what the control plane knows of the sandbox, without what opens it. */
export async function describeSandbox<Env>(exchange: Exchange<Env>, sessionId: string): Promise<Response> {
  const { sbx } = await granted(exchange, sessionId, 'info');
  const detail = await sandboxDetail(exchange, sbx);
  return jsonResponse(Object.fromEntries(described.map((name) => [name, detail[name]])));
}

/** `GET /sessions/:id/metrics?start=&end=`, in seconds since 1970: as the control plane has them. */
export async function sandboxMetrics<Env>(exchange: Exchange<Env>, sessionId: string): Promise<Response> {
  const { sbx } = await granted(exchange, sessionId, 'info');
  const { searchParams } = new URL(exchange.request.url);
  const start = timeParameter(searchParams, 'start');
  const end = timeParameter(searchParams, 'end');
  const metrics = await askControlPlane(() =>
    exchange.credentials.control.metrics(sbx, { ...(start && { start }), ...(end && { end }) }),
  );
  return jsonResponse(metrics);
}

/** `POST /sessions/:id/extend { timeoutMs }`: the end comes no sooner than so long from now. */
export async function extendSandbox<Env>(exchange: Exchange<Env>, sessionId: string): Promise<Response> {
  const { sbx } = await granted(exchange, sessionId, 'extend');
  const { timeoutMs } = await readJson(exchange.request);
  checkField('timeoutMs', timeoutMs, lifetime);
  await putOffEnd(exchange, sbx, Math.ceil((timeoutMs as number) / 1000));
  const { endAt } = await sandboxDetail(exchange, sbx);
  return jsonResponse({ endAt });
}

/** `POST /sessions/:id/pause { keepMemory? }`: its streams and terminals break off, and nothing but a resume wakes it. */
export async function pauseSandbox<Env>(exchange: Exchange<Env>, sessionId: string): Promise<Response> {
  const { credentials, directory } = exchange;
  const { sbx } = await granted(exchange, sessionId, 'pause');
  const { keepMemory } = await readJson(exchange.request);
  if (keepMemory !== undefined) checkField('keepMemory', keepMemory, flag);
  const paused = await askControlPlane(() =>
    credentials.control.pause(sbx, keepMemory === false ? { memory: false } : {}),
  );
  directory.forget(sbx);
  return jsonResponse({ paused });
}

/** `POST /sessions/:id/resume { timeoutMs? }`; longer than the application said takes the grant `extend`. */
export async function resumeSandbox<Env>(exchange: Exchange<Env>, sessionId: string): Promise<Response> {
  const { credentials, directory } = exchange;
  const { sbx, g, keep = defaultTimeoutSeconds } = await granted(exchange, sessionId, 'pause');
  const { timeoutMs = keep * 1000 } = await readJson(exchange.request);
  checkField('timeoutMs', timeoutMs, lifetime);
  const asked = Math.ceil((timeoutMs as number) / 1000);
  const timeout = g.lifecycle.includes('extend') ? asked : Math.min(asked, keep);
  const { state } = await sandboxDetail(exchange, sbx);
  // On one that runs, the same call would put off its end.
  if (state !== 'paused') return jsonResponse({ resumed: false });
  const answer = await askControlPlane(() => credentials.control.connect(sbx, { timeout }));
  directory.remember({ ...answer, sandboxID: sbx }, credentials);
  return jsonResponse({ resumed: true });
}

/** `POST /sessions/:id/kill` */
export async function killSandbox<Env>(exchange: Exchange<Env>, sessionId: string): Promise<Response> {
  const { credentials, directory } = exchange;
  const { sbx } = await granted(exchange, sessionId, 'kill');
  const killed = await askControlPlane(() => credentials.control.kill(sbx));
  directory.forget(sbx);
  return jsonResponse({ killed });
}

async function granted<Env>(
  exchange: Exchange<Env>,
  sessionId: string,
  what: LifecycleGrant,
): Promise<SessionClaims> {
  const claims = await ownSession(exchange, sessionId);
  if (!claims.g.lifecycle.includes(what)) throw notGranted(words[what]);
  return claims;
}

async function putOffEnd<Env>(exchange: Exchange<Env>, sandboxId: string, seconds: number): Promise<void> {
  const { control } = exchange.credentials;
  const { state, endAt } = await sandboxDetail(exchange, sandboxId);
  if (state === 'paused') throw sandboxPaused();
  if (seconds <= maxExtensionSeconds) return askControlPlane(() => control.extend(sandboxId, seconds));
  // The call for longer times would also bring an end nearer.
  if (Date.now() + seconds * 1000 <= Date.parse(endAt)) return;
  await askControlPlane(() => control.setTimeout(sandboxId, seconds));
}

function sandboxDetail<Env>({ credentials: { control } }: Exchange<Env>, sandboxId: string) {
  return askControlPlane(() => control.info(sandboxId));
}

function timeParameter(query: URLSearchParams, name: string): Date | undefined {
  const value = query.get(name);
  if (value === null) return undefined;
  if (!/^\d{1,11}$/.test(value)) throw invalidRequest(`"${name}" is not a number of seconds since 1970.`);
  return new Date(Number(value) * 1000);
}
