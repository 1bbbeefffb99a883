/** The broker as its hosts use it: requests, and what it takes to join terminals to it. */

import { createAnswer } from './answer-route.js';
import { verifySession } from './bearer.js';
import type { BrokerEvent } from './broker-event.js';
import type { BrokerContext, BrokerOptions } from './broker-options.js';
import { allowOrigin, checkOrigin, isSessionPath, preflight } from './cors.js';
import { beginDecision } from './decision.js';
import { killEnded } from './end-sandboxes.js';
import { createEnvdProxy } from './envd-proxy.js';
import { asRefusal, errorResponse } from './error-response.js';
import type { Exchange, Scope } from './exchange.js';
import { createKeepAlive } from './keep-alive.js';
import { createLimits, type Limits } from './limits.js';
import { handlePreview } from './previews/preview-proxy.js';
import { acceptPreview, type PreviewSocket } from './previews/preview-socket.js';
import { previewTarget } from './previews/preview-target.js';
import { createProcessGuard } from './process-guard.js';
import { judgeUpgrade, openPtySession, type PtySession, type PtyUpgrade } from './pty-access.js';
import { invalidRequest, misconfigured, originNotAllowed, routeNotFound } from './refusals.js';
import { createRevocations, type Revocation } from './revocation.js';
import { matchRoute, type Route } from './routes.js';
import { isStreamType, type StreamContentType } from './rpc-message.js';
import { procedureOf } from './rpc-proxy.js';
import { createSandboxDirectory } from './sandbox-directory.js';
import { type Credentials, createCredentialSource, readSettings, type Settings } from './settings.js';
import type { ExactStore } from './store-claim.js';
import { createMemoryStore } from './stores/memory-store.js';
import { type Trace, traceOf } from './trace.js';

/** How a host accepts a WebSocket, by what it was found to be for. */
export interface Acceptance<Accepted> {
  terminal(upgrade: PtyUpgrade): Accepted | Promise<Accepted>;
  preview(socket: PreviewSocket): Accepted | Promise<Accepted>;
}

export interface BrokerCore<Env> {
  readonly limits: Limits;
  /** Answers a request. Never rejects. */
  handle(request: Request, context?: BrokerContext<Env>): Promise<Response>;
  /**
   * Judges a request for a WebSocket, and has the host accept what may be: what it gives is the answer. The answer is a
   * refusal where it may not, or where the acceptance fails. Never rejects.
   */
  upgrade<Accepted>(
    request: Request,
    context: BrokerContext<Env>,
    accept: Acceptance<Accepted>,
  ): Promise<Accepted | Response>;
  /**
   * Verifies the token of a terminal's first message. Rejects with an `E2BEdgeError`.
   * @param onFetch is told of each request that the terminal makes.
   */
  authorizePty(
    token: string,
    sandboxId: string,
    context?: BrokerContext<Env>,
    trace?: Trace,
    onFetch?: () => void,
  ): Promise<PtySession>;
  /** Answers what is no request of the web, as one of the method TRACE. */
  unreadable(): Response;
  /** Ends sessions before their time. Rejects with an `E2BEdgeError`. */
  revoke(what: Revocation, context?: BrokerContext<Env>): Promise<void>;
  /** Takes down what happened at a terminal. */
  log(event: BrokerEvent): void;
}

export function createBrokerCore<Env>(options: BrokerOptions<Env>): BrokerCore<Env> {
  const settings = readSettings(options);
  const { basePath, log } = settings;
  const credentialsOf = createCredentialSource(options);
  const processes = createProcessGuard();
  const proxy = createEnvdProxy(processes);
  const answer = createAnswer(proxy);
  const memory = createMemoryStore();
  const parts = {
    options,
    settings,
    directory: createSandboxDirectory(),
    keepAlive: createKeepAlive(),
    limits: createLimits(options.limits),
  };

  async function scopeOf(
    context: BrokerContext<Env>,
    event: Scope['event'],
    trace: Trace = {},
    own: Settings = settings,
  ): Promise<Scope<Env>> {
    try {
      const credentials = await credentialsOf(context, own, trace);
      const revocations = createRevocations(credentials.store, credentials.tokens.sessionLifeMs);
      const { store } = credentials;
      const exactStore = store?.compareAndSet ? (store as ExactStore) : memory;
      return { ...parts, settings: own, context, event, trace, credentials, revocations, exactStore };
    } catch (error) {
      throw misconfigured('An option cannot be used', error);
    }
  }

  async function handle(request: Request, context: BrokerContext<Env> = {}): Promise<Response> {
    const trace = traceOf(request.headers);
    const decision = beginDecision(log, 'unknown', trace);
    const { event } = decision;
    const { pathname } = new URL(request.url);
    let origin: string | undefined;
    let route: Route | undefined;
    let response: Response;
    try {
      const exchange: Exchange<Env> = { ...(await scopeOf(context, event, trace)), request, life: {} };
      const { origins } = exchange.credentials;
      // Before anything is refused: a page of ours is to read why.
      origin = origins.find((known) => known === request.headers.get('origin'));
      exchange.limits.checkHead(request);
      const preview = previewTarget(exchange);
      if (preview) return await handlePreview(exchange, preview, decision);
      checkOrigin(request, origins);
      if (request.method === 'OPTIONS' && request.headers.has('access-control-request-method')) {
        event.action = 'preflight';
        response = preflight(request, pathname, basePath);
      } else {
        route = matchRoute(request.method, pathname, basePath);
        event.action = route.name;
        response = await answer(exchange, route);
      }
      decision.made(response.status);
    } catch (error) {
      response = errorResponse(error, event.requestId, route && streamOf(request, route));
      decision.failed(error);
    }
    allowOrigin(response.headers, origin, isSessionPath(pathname, basePath));
    return withCommonHeaders(response, event.requestId);
  }

  return {
    limits: parts.limits,
    handle,

    unreadable() {
      const error = invalidRequest('This is no request that the broker can read.', 'unreadable_request');
      const decision = beginDecision(log, 'unknown');
      decision.failed(error);
      return withCommonHeaders(errorResponse(error, decision.event.requestId), decision.event.requestId);
    },

    log,

    async revoke(what, context = {}) {
      const decision = beginDecision(log, 'revoke');
      try {
        const scope = await scopeOf(context, decision.event);
        await scope.revocations.revoke(what);
        // From here on the sessions are over, whatever becomes of their sandboxes.
        Object.assign(decision.event, what);
        await killEnded(scope, what);
        decision.made(204);
      } catch (error) {
        decision.failed(error);
        throw error;
      }
    },

    async upgrade(request, context, accept) {
      const trace = traceOf(request.headers);
      const decision = beginDecision(log, 'pty', trace);
      const { event } = decision;
      try {
        const exchange: Exchange<Env> = { ...(await scopeOf(context, event, trace)), request, life: {} };
        exchange.limits.checkHead(request);
        const { credentials } = exchange;
        const preview = previewTarget(exchange);
        if (preview) {
          const again = async (): Promise<Credentials> =>
            (await scopeOf(context, { ...event }, trace)).credentials;
          return await acceptPreview(exchange, preview, decision, again, accept.preview);
        }
        const route = matchRoute(request.method, new URL(request.url).pathname, basePath);
        if (route.name !== 'pty') throw routeNotFound();
        event.sandboxId = route.sandboxId;
        const upgrade = { ...judgeUpgrade(request, route.sandboxId, credentials.origins), trace };
        const accepted = await accept.terminal(upgrade);
        if (upgrade.close) decision.failed(originNotAllowed());
        else decision.made(101);
        return accepted;
      } catch (error) {
        decision.failed(error);
        return withCommonHeaders(errorResponse(error, event.requestId), event.requestId);
      }
    },

    async authorizePty(token, sandboxId, context = {}, trace = {}, onFetch) {
      const decision = beginDecision(log, 'pty', trace);
      const own = onFetch ? counting(settings, onFetch) : settings;
      try {
        const scope = await scopeOf(context, decision.event, trace, own);
        const claims = await verifySession(scope, token);
        const again = (): Promise<Scope<Env>> => scopeOf(context, { ...decision.event }, trace, own);
        const session = await openPtySession(scope, claims, sandboxId, { proxy, processes }, again);
        decision.made(101);
        return session;
      } catch (error) {
        decision.failed(error);
        throw asRefusal(error);
      }
    },
  };
}

function counting(settings: Settings, onFetch: () => void): Settings {
  return {
    ...settings,
    fetch: (url, init) => {
      onFetch();
      return settings.fetch(url, init);
    },
  };
}

/** The content type of a call that is answered by a stream. */
function streamOf(request: Request, route: Route): StreamContentType | undefined {
  if (route.name !== 'rpc') return undefined;
  try {
    const { type } = procedureOf(request, route.procedure);
    return isStreamType(type) ? type : undefined;
  } catch {
    return undefined;
  }
}

function withCommonHeaders(response: Response, requestId: string): Response {
  const { headers } = response;
  headers.set('x-request-id', requestId);
  headers.set('x-content-type-options', 'nosniff');
  headers.set('cache-control', 'no-store');
  return response;
}
