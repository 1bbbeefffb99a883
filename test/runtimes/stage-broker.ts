import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createMemoryStore } from 'e2b-edge/broker';
import { createNodeBroker, type NodeBroker } from 'e2b-edge/broker/node';
import type { Grant } from 'e2b-edge/browser';
import type { Endpoint } from '../suites/case.js';

const everything: Grant = {
  files: [
    { op: 'read', prefix: '/' },
    { op: 'write', prefix: '/' },
  ],
  commands: 'run',
  pty: 'write',
  ports: [3000],
  lifecycle: ['info', 'extend', 'pause', 'kill'],
};

export interface StageBroker {
  url: string;
  revoke(sessionId: string): Promise<void>;
  close(): Promise<void>;
}

/** Starts a broker on loopback that knows everybody who says a name, and grants everything. */
export async function startBroker(
  { apiUrl, sandboxUrl, apiKey }: Omit<Endpoint, 'brokerUrl'>,
  origin: string,
  {
    tokenTtlMs = 300_000,
    sessionLifeMs = 3_600_000,
    publicUrl,
  }: { tokenTtlMs?: number; sessionLifeMs?: number; publicUrl?: string | undefined } = {},
): Promise<StageBroker> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const broker: NodeBroker = createNodeBroker({
    apiKey,
    apiUrl,
    sandboxUrl,
    publicUrl: publicUrl ?? url,
    store: createMemoryStore(),
    tokenTtlMs,
    sessionLifeMs,
    origins: [origin],
    // All suites are one user.
    limits: { mintsPerMinute: 1000, streams: 256, sockets: 64, terminals: 64 },
    signingKeys: { current: randomBytes(32).toString('base64url') },
    authorize: (request, intent) => {
      // At a refresh that header holds the session's own token.
      const subject = intent.action === 'refresh' ? intent.subject : request.headers.get('authorization');
      if (subject === null) return null;
      return {
        subject,
        sandbox: {
          template: 'base',
          metadata: JSON.parse(request.headers.get('x-metadata') ?? '{}'),
          endWithSession: request.headers.has('x-end-with-session'),
        },
        grants: everything,
        invite: everything,
        dangerouslyAllowDirect: true,
      };
    },
  });
  server.on('request', broker.handleRequest);
  server.on('upgrade', broker.handleUpgrade);
  return {
    url,
    revoke: (sessionId) => broker.revoke({ sessionId }),
    close: () => {
      broker.close();
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
