import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { ConnectRouter, Interceptor } from '@connectrpc/connect';
import { compressionGzip, connectNodeAdapter } from '@connectrpc/connect-node';
import { Filesystem } from '../../wire/gen/filesystem/filesystem_pb.js';
import { Process } from '../../wire/gen/process/process_pb.js';
import type { SandboxContext } from './context.js';
import { toConnectError } from './errors.js';
import { filesystemService } from './filesystem/filesystem-service.js';
import { httpEndpoints, refuseMethod } from './http-endpoints.js';
import { processService } from './process/process-service.js';
import type { ProcessTable } from './process/process-table.js';
import { allowReadyEnvelopes } from './process/ready-envelopes.js';
import { goTimeout } from './timeout-header.js';
import type { Users } from './users.js';

/** A message is held several times over while it is decoded. Files go another way. */
const largestMessage = 64 << 20;

const procedures = new Set(
  [Process, Filesystem].flatMap(({ typeName, methods }) => methods.map(({ name }) => `/${typeName}/${name}`)),
);

/** Everything that envd answers. Whoever reaches it may: tokens are checked before, outside the sandbox. */
export function routes(
  context: SandboxContext,
  table: ProcessTable,
): (request: Http2ServerRequest, response: Http2ServerResponse) => void {
  const http = httpEndpoints(context, table);
  const rpc = connectNodeAdapter({
    routes: (router: ConnectRouter) => {
      router.service(Process, processService(table, context.users));
      allowReadyEnvelopes(router, ['/process.Process/Start', '/process.Process/Connect']);
      router.service(Filesystem, filesystemService(context));
    },
    interceptors: [refuseWhatIsOver, requireKnownUser(context.users)],
    readMaxBytes: largestMessage,
    acceptCompression: [compressionGzip],
    // Compressed output costs more time than it saves on one machine, and connect-web cannot read it.
    compressMinBytes: Number.MAX_SAFE_INTEGER,
    grpc: false,
    fallback: (request, response) => {
      void http(request as Http2ServerRequest, response as Http2ServerResponse);
    },
  });
  return (request, response) => {
    if (request.method !== 'POST' && procedures.has(request.url)) {
      return refuseMethod(request, response, ['POST']);
    }
    const timeout = goTimeout(request.headers['connect-timeout-ms']);
    if (timeout === undefined) delete request.headers['connect-timeout-ms'];
    else request.headers['connect-timeout-ms'] = timeout;
    rpc(request, response);
  };
}

/** A deadline that has passed before the call began: nothing of it is done. */
const refuseWhatIsOver: Interceptor = (next) => async (request) => {
  request.signal.throwIfAborted();
  return next(request);
};

function requireKnownUser(users: Users): Interceptor {
  return (next) => async (request) => {
    try {
      users.check(request.header.get('authorization'));
    } catch (error) {
      throw toConnectError(error);
    }
    return next(request);
  };
}
