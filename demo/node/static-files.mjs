import { readFile } from 'node:fs/promises';
import { pageHeaders } from '../page-headers.mjs';

const files = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/main.js': ['main.js', 'text/javascript; charset=utf-8'],
  '/main.css': ['main.css', 'text/css; charset=utf-8'],
  '/main.js.map': ['main.js.map', 'application/json'],
  '/main.css.map': ['main.css.map', 'application/json'],
  '/icon.svg': ['icon.svg', 'image/svg+xml'],
};

/**
 * Serves the page. Only files that are listed here exist, so a path cannot lead anywhere else.
 * @param {string} folder
 * @returns {(request: import('node:http').IncomingMessage, response: import('node:http').ServerResponse) => Promise<void>}
 */
export function serveFiles(folder) {
  return async (request, response) => {
    const [pathname] = (request.url ?? '/').split('?');
    const file = files[pathname ?? '/'];
    if (!file) {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('There is no such page.\n');
      return;
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { allow: 'GET, HEAD' }).end();
      return;
    }
    const [name, type] = file;
    const body = await readFile(`${folder}/${name}`);
    response.writeHead(200, { ...pageHeaders, 'content-type': type, 'content-length': body.length });
    response.end(request.method === 'HEAD' ? undefined : body);
  };
}
