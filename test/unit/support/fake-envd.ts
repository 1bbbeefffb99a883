import type { ConnectRouter, ServiceImpl } from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import { Connection } from '../../../src/transport/connection.js';
import { fixedCredential } from '../../../src/transport/credential.js';
import { Filesystem } from '../../../src/wire/gen/filesystem/filesystem_pb.js';
import { Process } from '../../../src/wire/gen/process/process_pb.js';
import { serve, type TestServer } from './serve.js';

/** An envd of which a test writes the processes. */
export async function serveProcesses(processes: Partial<ServiceImpl<typeof Process>>): Promise<TestServer> {
  return serveEnvd((router) => router.service(Process, { list: () => processList, ...processes }));
}

/** An envd of which a test writes the files. */
export async function serveFilesystem(files: Partial<ServiceImpl<typeof Filesystem>>): Promise<TestServer> {
  return serveEnvd((router) => router.service(Filesystem, files));
}

async function serveEnvd(routes: (router: ConnectRouter) => void): Promise<TestServer> {
  const answer = connectNodeAdapter({ routes });
  return serve((request, response) => {
    // Asked after each connection that is lost.
    if (request.url === '/health') response.writeHead(204).end();
    else answer(request, response);
  });
}

/** The one process that the events are of. */
export const processList = { processes: [{ pid: 7, config: { cmd: 'x' } }] };

export function connectTo(server: TestServer, requestTimeoutMs = 5_000, envdVersion = '0.6.13'): Connection {
  return new Connection({
    sandboxId: 'i1',
    envdVersion,
    baseUrl: server.url,
    credential: fixedCredential({}),
    client: { requestTimeoutMs },
    streamingUploads: true,
  });
}

const encoder = new TextEncoder();

/** The events of a process stream, as messages to yield. */
export const events = {
  start: { event: { event: { case: 'start' as const, value: { pid: 7 } } } },
  output: (kind: 'stdout' | 'stderr' | 'pty', text: string) => ({
    event: {
      event: { case: 'data' as const, value: { output: { case: kind, value: encoder.encode(text) } } },
    },
  }),
  end: {
    event: { event: { case: 'end' as const, value: { exitCode: 0, exited: true, status: 'exit status 0' } } },
  },
};

/** Something that a test waits for. */
export function signalled(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
