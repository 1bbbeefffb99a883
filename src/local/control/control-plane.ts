import type { IncomingMessage, ServerResponse } from 'node:http';
import { readJson } from '../http/read-json.js';
import { ApiError, replyFailure, replyJson } from '../http/replies.js';
import { urlOf } from '../http/request-url.js';
import { sameSecret } from '../http/signature.js';
import { longestTimeoutSeconds, parseCreate, parseObject, parseTimeout } from './create-request.js';
import { hasMetadata, listPage } from './list-query.js';
import type { Sandbox } from './sandbox.js';
import { detailOf, listedOf, summaryOf } from './sandbox-json.js';
import type { Sandboxes } from './sandboxes.js';

interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
  readonly sandboxes: Sandboxes;
  /** The id in the path, where there is one. */
  readonly id: string;
}

type Action = (call: Call) => void | Promise<void>;

/** Times out when none is given, in seconds: the first version's is shorter. */
const defaultTimeoutSeconds = { v1: 15, v2: 300 } as const;
const leastRefreshSeconds = 15;

const create =
  (version: 'v1' | 'v2'): Action =>
  async ({ request, response, sandboxes }) => {
    const asked = parseCreate(await readJson(request), defaultTimeoutSeconds[version]);
    replyJson(response, 201, summaryOf(await sandboxes.create(asked)));
  };

const connect: Action = async ({ request, response, sandboxes, id }) => {
  const { timeout = defaultTimeoutSeconds.v2 } = parseObject(await readJson(request), 'body');
  const sandbox = find(sandboxes, id);
  sandbox.extendTo(parseTimeout(timeout, 'timeout', 1));
  replyJson(response, 200, summaryOf(sandbox));
};

const list: Action = ({ response, query, sandboxes }) => {
  const page = listPage(sandboxes.list(), query);
  if (page.nextToken !== undefined) response.setHeader('x-next-token', page.nextToken);
  response.setHeader('x-total-running', sandboxes.list().length);
  replyJson(response, 200, page.sandboxes.map(listedOf));
};

const listV1: Action = ({ response, query, sandboxes }) => {
  replyJson(response, 200, sandboxes.list().filter(hasMetadata(query)).map(listedOf));
};

const detail: Action = ({ response, sandboxes, id }) =>
  replyJson(response, 200, detailOf(find(sandboxes, id)));

const kill: Action = async ({ response, sandboxes, id }) => {
  if (!(await sandboxes.kill(sandboxIdOf(id)))) throw notFound(id);
  response.writeHead(204).end();
};

const setTimeoutOf: Action = async ({ request, response, sandboxes, id }) => {
  const { timeout } = parseObject(await readJson(request), 'body');
  const sandbox = find(sandboxes, id);
  if (!Number.isInteger(timeout)) throw new ApiError(400, 'timeout must be a whole number of seconds');
  const seconds = Math.min(timeout as number, longestTimeoutSeconds);
  if (seconds > 0) sandbox.endIn(seconds);
  else await sandboxes.kill(sandbox.id);
  response.writeHead(204).end();
};

const refresh: Action = async ({ request, response, sandboxes, id }) => {
  const { duration = leastRefreshSeconds } = parseObject(await readJson(request), 'body');
  const sandbox = find(sandboxes, id);
  sandbox.extendTo(Math.max(parseTimeout(duration, 'duration', 0), leastRefreshSeconds));
  response.writeHead(204).end();
};

const routes: readonly [method: string, path: RegExp, action: Action][] = [
  ['POST', /^\/sandboxes$/, create('v1')],
  ['POST', /^\/v2\/sandboxes$/, create('v2')],
  ['GET', /^\/sandboxes$/, listV1],
  ['GET', /^\/v2\/sandboxes$/, list],
  ['GET', /^\/sandboxes\/([^/]+)$/, detail],
  ['DELETE', /^\/sandboxes\/([^/]+)$/, kill],
  ['POST', /^(?:\/v2)?\/sandboxes\/([^/]+)\/connect$/, connect],
  ['POST', /^\/sandboxes\/([^/]+)\/timeout$/, setTimeoutOf],
  ['POST', /^\/sandboxes\/([^/]+)\/refreshes$/, refresh],
];

/** Parts of the real control plane that are known, and not here. */
const elsewhere: readonly [path: RegExp, what: string][] = [
  [/^\/sandboxes\/[^/]+\/(pause|resume)$/, 'pausing sandboxes'],
  [/^\/sandboxes\/[^/]+\/fork$/, 'forking sandboxes'],
  [/^\/(sandboxes\/[^/]+\/)?snapshots$/, 'snapshots'],
  [/^\/sandboxes(\/[^/]+)?\/metrics$/, 'metrics'],
  [/^(\/v2)?\/sandboxes\/[^/]+\/logs$/, 'logs'],
  [/^\/sandboxes\/[^/]+\/network$/, 'network rules'],
  [/^(\/v[23])?\/templates(\/|$)/, 'templates'],
  [/^\/volume(s|content)(\/|$)/, 'volumes'],
  [/^\/secrets(\/|$)/, 'secrets'],
];

/** The REST API that creates, finds and ends sandboxes, for whoever has the key. */
export function controlPlane(
  sandboxes: Sandboxes,
  apiKey: string,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  return async (request, response) => {
    try {
      const url = urlOf(request);
      if (url.pathname === '/health') {
        response.writeHead(200, { 'content-type': 'text/plain' }).end('Health check successful');
        return;
      }
      checkKey(request.headers['x-api-key'], apiKey);
      const { action, id } = match(request.method ?? '', url.pathname);
      await action({ request, response, query: url.searchParams, sandboxes, id });
    } catch (error) {
      replyFailure(response, error);
    }
  };
}

function match(method: string, path: string): { action: Action; id: string } {
  const served = routes.filter(([, pattern]) => pattern.test(path));
  const found = served.find(([allowed]) => allowed === method);
  if (found) return { action: found[2], id: found[1].exec(path)?.[1] ?? '' };
  if (served.length > 0) throw new ApiError(405, `method ${method} is not allowed for ${path}`);
  const missing = elsewhere.find(([pattern]) => pattern.test(path));
  if (missing) throw new ApiError(501, `the local server has no support for ${missing[1]}`);
  throw new ApiError(404, `no such endpoint: ${method} ${path}`);
}

function checkKey(given: string | string[] | undefined, apiKey: string): void {
  if (given === undefined) throw new ApiError(401, 'authorization header is missing');
  if (typeof given !== 'string' || !given.startsWith('e2b_')) {
    throw new ApiError(401, 'authorization header is malformed');
  }
  if (!sameSecret(given, apiKey)) {
    throw new ApiError(401, 'invalid API key: use the one that the local server printed when it started');
  }
}

function find(sandboxes: Sandboxes, id: string): Sandbox {
  const sandbox = sandboxes.get(sandboxIdOf(id));
  if (!sandbox) throw notFound(id);
  return sandbox;
}

function sandboxIdOf(id: string): string {
  return id.split('-', 1)[0]!;
}

function notFound(id: string): ApiError {
  return new ApiError(404, `sandbox "${sandboxIdOf(id)}" not found`);
}
