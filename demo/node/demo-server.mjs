import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { createNodeBroker } from 'e2b-edge/broker/node';
import { demoGrants } from '../grants.mjs';
import { serveFiles } from './static-files.mjs';

const brokerPath = '/api/sandbox';
const usualPort = 3000;

/**
 * Serves the page and its broker on loopback. Whoever can reach the page may use it, so no other host name is answered:
 * a website whose name points to this machine gets nothing.
 * @param {object} options
 * @param {import('./sandbox-service.mjs').SandboxService} options.service where sandboxes come from
 * @param {number} [options.port] default 3000, or a free one where that is taken; 0 takes a free one
 * @param {string} [options.signingKey] default: a random one, so that tokens end with the server
 * @param {string} [options.folder] the bundled page
 * @returns {Promise<{ url: string, close: () => Promise<void> }>}
 */
export async function startDemo({ service, port, signingKey = randomBytes(32).toString('base64'), folder }) {
  const server = createServer();
  const listening = await listen(server, port);
  const origins = [`http://127.0.0.1:${listening}`, `http://localhost:${listening}`];
  const hosts = origins.map((origin) => new URL(origin).host);

  const broker = createNodeBroker({
    apiKey: service.apiKey,
    ...(service.apiUrl && { apiUrl: service.apiUrl }),
    ...(service.sandboxUrl && { sandboxUrl: service.sandboxUrl }),
    signingKeys: { current: signingKey },
    origins,
    basePath: brokerPath,
    // All tabs are one person's, who may well reload often.
    limits: { mintsPerMinute: 100 },
    // Your application asks here who the caller is. On one person's own machine there is one caller.
    authorize: () => ({ subject: 'demo', sandbox: { template: 'base' }, grants: demoGrants }),
    // The page is told of these in general words.
    logger: ({ outcome, action, code, cause }) => {
      if (outcome === 'failed' && code) console.error(`${action}: ${code}`, cause?.message ?? cause ?? '');
    },
  });
  const page = serveFiles(folder ?? fileURLToPath(new URL('../dist', import.meta.url)));

  server.on('request', (request, response) => {
    if (!hosts.includes(request.headers.host ?? '')) {
      response.writeHead(421, { 'content-type': 'text/plain' }).end(`This is ${origins.join(' or ')}.\n`);
    } else if (request.url?.startsWith(`${brokerPath}/`)) {
      void broker.handleRequest(request, response);
    } else {
      page(request, response).catch(() => response.destroy());
    }
  });
  server.on('upgrade', (request, socket, head) => {
    if (hosts.includes(request.headers.host ?? '')) void broker.handleUpgrade(request, socket, head);
    else socket.end('HTTP/1.1 421 Misdirected Request\r\nconnection: close\r\n\r\n');
  });

  return {
    url: origins[0],
    async close() {
      broker.close();
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

async function listen(server, port) {
  try {
    return await listenOn(server, port ?? usualPort);
  } catch (error) {
    if (error.code !== 'EADDRINUSE') throw error;
    if (port === undefined) return listenOn(server, 0);
    throw new Error(`Port ${port} is taken. Choose another with --port, or any free one with --port 0.`);
  }
}

async function listenOn(server, port) {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server.address().port;
}
