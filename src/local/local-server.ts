import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SandboxError } from '../errors.js';
import { Sandboxes } from './control/sandboxes.js';
import { replyFailure } from './http/replies.js';
import type { IsolationKind } from './machine/isolation.js';
import { MachineSource } from './machine/machine-source.js';
import { openIsolation } from './machine/open-isolation.js';
import { builtEnvd } from './machine/runtime-files.js';
import { type CheckedOptions, checkOptions, type LocalServerOptions } from './options.js';
import { requestListener } from './routing/request-listener.js';

/** A running local sandbox server. */
export interface LocalServer extends AsyncDisposable {
  /** For `apiUrl` or `E2B_API_URL`. */
  readonly apiUrl: string;
  /** For `sandboxUrl` or `E2B_SANDBOX_URL`. The same server; what a request is for is told by its headers. */
  readonly sandboxUrl: string;
  readonly apiKey: string;
  readonly port: number;
  /** What keeps the sandboxes apart from this machine. */
  readonly isolation: IsolationKind;
  /** Ends all sandboxes with everything that runs in them, removes their files, and stops listening. */
  close(): Promise<void>;
}

/**
 * Starts a sandbox server on loopback that the official E2B SDKs and e2b-edge can use as if it were E2B's cloud.
 *
 * @throws `InvalidArgumentError` for a wrong option; `SandboxError` with code `port_in_use`,
 * `listen_failed` or `isolation_unavailable`.
 */
export async function startLocalServer(options: LocalServerOptions = {}): Promise<LocalServer> {
  return startWithEnvd(options, builtEnvd);
}

/** The same with envd built elsewhere, for tests that run from the sources. */
export async function startWithEnvd(options: LocalServerOptions, envdScript: string): Promise<LocalServer> {
  const checked = checkOptions(options);
  const apiKey = checked.apiKey ?? `e2b_${randomBytes(20).toString('hex')}`;
  const { isolation, workspace, first } = await openIsolation(checked, envdScript);
  const source = new MachineSource(isolation, workspace, first);
  const sandboxes = new Sandboxes(source);
  const server = createServer({ requestTimeout: 0, keepAliveTimeout: 620_000 });
  const endSandboxes = async (): Promise<void> => {
    await Promise.all([sandboxes.close(), source.close()]);
    await workspace.remove();
  };
  const port = await listen(server, checked).catch(async (error) => {
    await endSandboxes();
    throw error;
  });
  const answer = requestListener({ sandboxes, apiKey, port, origins: checked.origins });
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    answer(request, response).catch((error) => replyFailure(response, error));
  });

  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= closeServer(server).then(endSandboxes);
    return closing;
  };
  const url = `http://${checked.host === '::1' ? '[::1]' : checked.host}:${port}`;
  return {
    apiUrl: url,
    sandboxUrl: url,
    apiKey,
    port,
    isolation: isolation.kind,
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function listen(server: Server, { host, port }: CheckedOptions): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const inUse = error.code === 'EADDRINUSE';
      const message = inUse
        ? `port ${port} is already in use: choose another, or 0 for a free one`
        : error.message;
      reject(new SandboxError(message, { code: inUse ? 'port_in_use' : 'listen_failed', cause: error }));
    });
    server.listen(port, host, resolve);
  });
  return (server.address() as AddressInfo).port;
}

async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
}
