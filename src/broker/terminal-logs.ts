/**
 * Terminals whose output is kept in the sandbox: what the relay runs for them. Those programs are fixed, and take of a
 * page what starts a terminal, which is a shell anyway; so they do not go through the policy for pages, and no page sees
 * them. The shell has the mark of a terminal like any other.
 */

import type { FetchLike } from '../transport/authorized-fetch.js';
import { Process } from '../wire/messages/process.js';
import { explainAbsence } from './absence.js';
import { openUpstream, type Upstream } from './envd-upstream.js';
import { errorResponse } from './error-response.js';
import type { Scope } from './exchange.js';
import type { ProcessGuard } from './process-guard.js';
import { processTag } from './process-mark.js';
import { notGranted } from './refusals.js';
import { processOwner, type SessionClaims } from './session-token.js';
import { upstreamError } from './upstream-error.js';
import type { WakeGuard } from './wake-guard.js';

export interface TerminalLogs {
  /** Sends calls for processes straight to envd, as the session's user. */
  fetch: FetchLike;
  /** The mark of the owner's terminals. */
  mark(): Promise<string>;
  /** The same id for each attempt to create one terminal. */
  idFor(createKey: string): Promise<string>;
  /** Which log a running terminal of the owner has; undefined where it has none. */
  idOf(pid: number): Promise<string | undefined>;
}

const passed = ['content-type', 'connect-protocol-version', 'connect-timeout-ms', 'keepalive-ping-interval'];

export function terminalLogs<Env>(
  scopeOf: () => Promise<Scope<Env>>,
  claims: SessionClaims,
  processes: ProcessGuard,
  wake: WakeGuard,
): TerminalLogs {
  const owner = processOwner(claims);
  const { user } = claims.g;
  return {
    async fetch(url, init) {
      const request = new Request(url, init);
      const scope = await scopeOf();
      try {
        const procedure = procedureOf(request);
        await wake.check(procedure);
        const upstream = await openUpstream(scope, claims);
        const response = await upstream.send(procedure, {
          method: 'POST',
          headers: headersOf(request),
          body: new Uint8Array(await request.arrayBuffer()),
          signal: request.signal,
        });
        if (!response.ok) throw await upstreamError(response, 'rpc');
        return response;
      } catch (error) {
        request.signal.throwIfAborted();
        return errorResponse(await explainAbsence(scope, claims.sbx, error), scope.event.requestId);
      }
    },
    mark: () => processTag(owner, user, 'pty'),
    idFor: (createKey) => uuidOf(JSON.stringify([claims.sbx, owner, user ?? null, createKey])),
    async idOf(pid) {
      await wake.check(Process.list.path);
      const scope = await scopeOf();
      try {
        const upstream = await openUpstream(scope, claims);
        const kind = await processes.kindOf(upstream, owner, pid);
        return kind === 'pty' ? await keptBy(upstream, pid) : undefined;
      } catch (error) {
        throw await explainAbsence(scope, claims.sbx, error);
      }
    },
  };
}

/** The path of a call for processes, without what is before it. */
function procedureOf({ method, url }: Request): string {
  const [path] = /process\.Process\/[A-Za-z]+$/.exec(new URL(url).pathname) ?? [];
  if (method !== 'POST' || !path) throw notGranted('do this for a terminal');
  return path;
}

function headersOf({ headers }: Request): Record<string, string> {
  return Object.fromEntries(
    passed.flatMap((name) => {
      const value = headers.get(name);
      return value === null ? [] : [[name, value]];
    }),
  );
}

/** A keeper is named by what it is called: its `$0`. */
async function keptBy(upstream: Upstream, pid: number): Promise<string | undefined> {
  const list = await upstream.call(Process.list, {});
  const config = list?.processes.find((process) => process.pid === pid)?.config;
  return /^keep:([0-9a-f-]{36})$/.exec(config?.args[2] ?? '')?.[1];
}

async function uuidOf(text: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
  const hex = Array.from(digest.subarray(0, 16), (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
