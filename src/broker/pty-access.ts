/** What a host needs to join terminals to a broker. */

import type { FetchLike } from '../transport/authorized-fetch.js';
import type { InterruptSignal } from '../wire/interrupt-key.js';
import { PtyClose } from '../wire/pty-close.js';
import { ptyProtocol } from '../wire/pty-frame.js';
import { lifeOf } from './bearer.js';
import { checkOrigin } from './cors.js';
import type { EnvdProxy } from './envd-proxy.js';
import { errorResponse } from './error-response.js';
import type { Exchange, Scope } from './exchange.js';
import { interruptTerminal } from './interrupt-terminal.js';
import type { ProcessGuard } from './process-guard.js';
import { invalidRequest, notGranted, unauthenticated } from './refusals.js';
import { matchRoute } from './routes.js';
import type { SessionClaims } from './session-token.js';
import { type TerminalLogs, terminalLogs } from './terminal-logs.js';
import type { Trace } from './trace.js';
import { createWakeGuard } from './wake-guard.js';

/** An upgrade that is to be accepted. */
export interface PtyUpgrade {
  sandboxId: string;
  /** To be closed with at once: a page cannot read why an upgrade was refused, but it can read this. */
  close?: { code: number; reason: string };
  /** The caller's, for what the terminal asks upstream. */
  trace?: Trace;
}

/** What the holder of a token may do at terminals, and the way there. */
export interface PtySession {
  claims: SessionClaims;
  mode: 'read' | 'write';
  /** What its sockets are bound to, and what they do for the sandbox. */
  life: ReturnType<typeof lifeOf>;
  envdVersion: string;
  /** The base URL to use `fetch` with. It leads nowhere but into this broker's own proxy. */
  baseUrl: string;
  /** Passes requests through the broker's proxy: the same policy, user and marks as for a page, and never its token. */
  fetch: FetchLike;
  /** What keeps the output of terminals in the sandbox. */
  logs: TerminalLogs;
  /** From now on what is opened is opened again, by nobody's wish: it does not wake a sandbox that was paused. */
  nobodyAsks(): void;
  /**
   * Lets an interrupt key through to a terminal's program that does not read: the one thing that is not done by
   * `fetch`, since it takes a program in the sandbox. Resolves with whether the program was signalled in its place.
   */
  interrupt(pid: number, signal: InterruptSignal, abort?: AbortSignal): Promise<boolean>;
}

/** Judges a request for a WebSocket by its origin and its subprotocol. The token comes later, in a message. */
export function judgeUpgrade(request: Request, sandboxId: string, origins: readonly string[]): PtyUpgrade {
  const offered = request.headers.get('sec-websocket-protocol') ?? '';
  if (!offered.split(',').some((name) => name.trim() === ptyProtocol)) {
    // Not worth a close code: a page that offered others breaks off when none of them is taken.
    throw invalidRequest(`The WebSocket's subprotocol has to be ${ptyProtocol}.`);
  }
  try {
    checkOrigin(request, origins);
  } catch {
    return { sandboxId, close: { code: PtyClose.notGranted, reason: 'origin_not_allowed' } };
  }
  return { sandboxId };
}

/** @param scopeOf makes the scope of each call that the terminal makes, as long as it lives. */
export async function openPtySession<Env>(
  scope: Scope<Env>,
  claims: SessionClaims,
  sandboxId: string,
  { proxy, processes }: { proxy: EnvdProxy; processes: ProcessGuard },
  scopeOf: () => Promise<Scope<Env>>,
): Promise<PtySession> {
  const { credentials, directory } = scope;
  if (claims.sbx !== sandboxId) throw unauthenticated();
  const { pty: mode, user } = claims.g;
  if (mode === 'none') throw notGranted('use terminals');
  const { envdVersion } = await directory.find(sandboxId, credentials);

  // A terminal is shared by all of its user's sockets, of which the relay knows who may write. It outlives the session
  // that opened it, so its calls are not tied to that one's end.
  const shared: SessionClaims = {
    ...claims,
    g: {
      files: [],
      commands: 'none',
      pty: 'write',
      ports: [],
      lifecycle: [],
      ...(user !== undefined && { user }),
    },
  };
  const origin = 'http://broker.invalid';
  const wake = createWakeGuard(scopeOf, sandboxId);
  const fetchThroughProxy: FetchLike = async (url, init) => {
    const request = new Request(url, init);
    const { requestId } = scope.event;
    try {
      const exchange: Exchange<Env> = { ...(await scopeOf()), request, life: {}, isTerminals: true };
      const route = matchRoute(request.method, new URL(url).pathname, '');
      if (route.name !== 'rpc') throw notGranted('do this at a terminal');
      await wake.check(route.procedure);
      return await proxy(exchange, route, shared);
    } catch (error) {
      request.signal.throwIfAborted();
      return errorResponse(error, requestId);
    }
  };
  return {
    claims,
    mode,
    life: lifeOf(scope, claims, async () => (await scopeOf()).credentials),
    envdVersion,
    baseUrl: `${origin}/envd/${sandboxId}`,
    fetch: fetchThroughProxy,
    logs: terminalLogs(scopeOf, shared, processes, wake),
    nobodyAsks: wake.arm,
    interrupt: async (pid, signal, abort) =>
      interruptTerminal({ scope: await scopeOf(), claims: shared, processes }, { pid, signal, abort }),
  };
}
