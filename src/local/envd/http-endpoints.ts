import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { SandboxContext } from './context.js';
import { HttpError, PathError, reasonOf, UnknownUserError } from './errors.js';
import { compose } from './files/compose.js';
import { download } from './files/download.js';
import { upload } from './files/upload.js';
import { init } from './init-endpoint.js';
import { metrics } from './metrics.js';
import type { ProcessTable } from './process/process-table.js';
import { start } from './start-endpoint.js';

type Endpoint = (
  request: Http2ServerRequest,
  response: Http2ServerResponse,
  query: URLSearchParams,
  context: SandboxContext,
  table: ProcessTable,
) => void | Promise<void>;

const endpoints: Record<string, Record<string, Endpoint>> = {
  '/health': {
    GET: (_request, response) => {
      response.writeHead(204, { 'cache-control': 'no-store' }).end();
    },
  },
  '/metrics': {
    GET: async (_request, response, _query, { paths }) =>
      json(response, await metrics(await paths.target('/'))),
  },
  '/envs': {
    GET: (_request, response, _query, { envs }) => {
      response.setHeader('cache-control', 'no-store');
      json(response, envs);
    },
  },
  '/files': { GET: download, POST: upload },
  '/files/compose': { POST: (request, response, _query, context) => compose(request, response, context) },
  '/init': { POST: (request, response, _query, context) => init(request, response, context) },
  '/start': { POST: (request, response, _query, context, table) => start(request, response, context, table) },
};

/** What envd answers besides RPC. */
export function httpEndpoints(
  context: SandboxContext,
  table: ProcessTable,
): (request: Http2ServerRequest, response: Http2ServerResponse) => Promise<void> {
  return async (request, response) => {
    try {
      const url = new URL(`http://envd${request.url}`);
      context.users.check(request.headers.authorization);
      const methods = endpoints[url.pathname];
      if (!methods) throw new HttpError(404, `path '${url.pathname}' not found`);
      const endpoint = methods[request.method];
      if (!endpoint) return refuseMethod(request, response, Object.keys(methods));
      await endpoint(request, response, url.searchParams, context, table);
    } catch (error) {
      fail(response, error);
    } finally {
      // An upload that was refused early: what still comes must not fill the connection.
      request.resume();
    }
  };
}

function json(response: Http2ServerResponse, body: unknown): void {
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(body));
}

/** Answers 405 to a method that the path does not have. */
export function refuseMethod(
  request: Http2ServerRequest,
  response: Http2ServerResponse,
  allowed: readonly string[],
): void {
  response.setHeader('allow', allowed.join(', '));
  fail(response, new HttpError(405, `method ${request.method} is not allowed for '${request.url}'`));
}

function fail(response: Http2ServerResponse, error: unknown): void {
  if (response.headersSent) {
    // The client must see that the body is not whole; `close()` would end it well before it resets the stream.
    response.stream.destroy(new Error('the answer was cut off', { cause: error }));
    return;
  }
  if (error instanceof UnknownUserError) {
    response.writeHead(401, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ code: 'unauthenticated', message: error.message }));
    return;
  }
  const status = error instanceof HttpError ? error.status : error instanceof PathError ? 400 : 500;
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'x-content-type-options': 'nosniff',
  });
  response.end(JSON.stringify({ code: status, message: reasonOf(error) }));
}
