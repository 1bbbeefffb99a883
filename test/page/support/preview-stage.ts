/** A page with a frame for previews, before brokers that show them in both ways. */

import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { createMemoryStore } from 'e2b-edge/broker';
import { createNodeBroker, type NodeBroker } from 'e2b-edge/broker/node';
import { type LocalServer, startLocalServer } from 'e2b-edge/local';
import { build } from 'esbuild';
import { everything } from '../../broker/broker-client.js';

export interface PreviewStage {
  url: string;
  local: LocalServer;
  close(): Promise<void>;
}

const html =
  '<!doctype html><title>Application</title><h1>Application</h1><iframe id="preview" width="600" height="400"></iframe><script type="module" src="/main.js"></script>';

/** Brokers at `/path` and `/host`; the page's cookie `app` is what the application knows its user by. */
export async function startPreviewStage(): Promise<PreviewStage> {
  const script = await bundlePage();
  const local = await startLocalServer();
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const { apiKey, apiUrl, sandboxUrl } = local;
  const brokerAt = (basePath: string, origin?: string): NodeBroker =>
    createNodeBroker({
      apiKey,
      apiUrl,
      sandboxUrl,
      basePath,
      origins: [url],
      signingKeys: { current: 'a secret of more than thirty-two bytes' },
      store: createMemoryStore(),
      ...(origin && { previews: { origin } }),
      authorize: (request) =>
        request.headers.get('cookie')?.includes('app=ann')
          ? { subject: 'ann', sandbox: { template: 'base' }, grants: { ...everything, ports: [3000] } }
          : null,
    });
  const brokers = {
    path: brokerAt('/path'),
    host: brokerAt('/host', `http://{port}-{sandboxId}.localhost:${port}`),
  };
  const brokerOf = ({ url: path = '/', headers: { host = '' } }: IncomingMessage): NodeBroker | undefined => {
    if (host.endsWith(`.localhost:${port}`) || path.startsWith('/host/')) return brokers.host;
    return path.startsWith('/path/') ? brokers.path : undefined;
  };
  server.on('request', (request, response) => {
    const broker = brokerOf(request);
    if (broker) return void broker.handleRequest(request, response);
    const isScript = request.url === '/main.js';
    response.writeHead(200, {
      'content-type': isScript ? 'text/javascript' : 'text/html',
      'set-cookie': 'app=ann; Path=/; HttpOnly; SameSite=Lax',
    });
    response.end(isScript ? script : html);
  });
  server.on(
    'upgrade',
    (request, socket, head) => void brokerOf(request)?.handleUpgrade(request, socket, head),
  );
  return {
    url,
    local,
    async close() {
      for (const broker of Object.values(brokers)) broker.close();
      await closed(server);
      await local.close();
    },
  };
}

function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

async function bundlePage(): Promise<string> {
  const { outputFiles } = await build({
    stdin: {
      contents: "import * as e2b from 'e2b-edge/browser'; globalThis.e2b = e2b;",
      resolveDir: fileURLToPath(new URL('.', import.meta.url)),
    },
    bundle: true,
    format: 'esm',
    target: 'es2022',
    write: false,
    logLevel: 'error',
  });
  return outputFiles[0]!.text;
}
