import { readFile } from 'node:fs/promises';
import { pageFiles } from '../page-files.mjs';
import { pageHeaders } from '../page-headers.mjs';

/**
 * Serves the page.
 * @param {string} folder
 * @returns {(request: import('node:http').IncomingMessage, response: import('node:http').ServerResponse) => Promise<void>}
 */
export function serveFiles(folder) {
  return async (request, response) => {
    const [pathname] = (request.url ?? '/').split('?');
    const file = pageFiles[pathname ?? '/'];
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
