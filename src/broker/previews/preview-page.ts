/** An error where a person looks for a page. */

import type { E2BEdgeError } from '../../errors.js';

const style = `body{font:16px/1.5 system-ui,sans-serif;margin:0;min-height:100vh;display:grid;place-content:center;background:Canvas;color:CanvasText;color-scheme:light dark}
main{max-width:32rem;padding:2rem}h1{font-size:1.25rem;margin:0 0 .5rem}p{margin:0 0 .5rem}small{opacity:.65}`;

/** How often a page looks whether a service has been started meanwhile, in seconds. */
const lookAgainSeconds = 3;

/** @param headers what holds for the preview's pages. */
export function previewErrorPage(
  { message, code, statusCode = 500 }: E2BEdgeError,
  requestId: string,
  headers: Headers,
): Response {
  const title = statusCode === 401 ? 'This preview is not open' : 'No preview';
  const advice = statusCode === 401 ? 'Open it again from the page that it belongs to.' : escapeText(message);
  headers.set('content-type', 'text/html; charset=utf-8');
  headers.append('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'");
  if (code === 'port_closed') headers.set('refresh', String(lookAgainSeconds));
  return new Response(
    `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title><style>${style}</style><main><h1>${title}</h1><p>${advice}</p><small>${escapeText(code)} · ${requestId}</small></main></html>`,
    { status: statusCode, headers },
  );
}

function escapeText(text: string): string {
  return text.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`);
}
