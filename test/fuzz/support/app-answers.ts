import type { Arrived } from './arrived.js';
import { upstreamSecret } from './secrets.js';
import type { Mood } from './world.js';

/** What an app may say of itself, and what it says to be more than it is. */
const hostile: readonly (readonly [string, string])[] = [
  ['set-cookie', 'sid=1; Domain=any.test; Path=/; SameSite=Lax'],
  ['set-cookie', 'plain=1'],
  ['set-cookie', '__Secure-e2b-preview=forged; Secure; Path=/api/sandbox/'],
  ['set-cookie', '__Host-e2b-preview=forged; Secure; Path=/'],
  ['content-security-policy', 'default-src *; frame-ancestors *; sandbox allow-same-origin allow-scripts'],
  ['x-frame-options', 'DENY'],
  ['service-worker-allowed', '/'],
  ['clear-site-data', '"*"'],
  ['strict-transport-security', 'max-age=1000'],
  ['alt-svc', 'h2="evil.test:443"'],
  ['nel', '{}'],
  ['report-to', '{}'],
  ['e2b-traffic-access-token', 'echoed'],
  ['access-control-allow-origin', 'https://evil.example'],
  ['cache-control', 'public, max-age=60'],
];

/** What listens at a port: somebody's program, that whoever shows it cannot rely on. */
export function answerApp(
  mood: Mood,
  { url, headers: asked }: Arrived,
  sandboxId: string,
  port: number,
): Response {
  const headers = new Headers();
  for (const [name, value] of hostile) headers.append(name, value);
  headers.set('content-type', 'text/html');
  const location = locationOf(url, port);
  if (location !== undefined) headers.set('location', location);
  switch (mood) {
    case 'redirects':
      return new Response('', { status: 307, headers: { location: 'http://metadata.internal/' } });
    case 'fails':
      return proxyFailure(sandboxId);
    case 'breaks':
      return new Response(
        new ReadableStream({ pull: (controller) => controller.error(new TypeError(upstreamSecret)) }),
        { headers },
      );
    case 'lies':
      if (asked.get('accept') === 'application/json') return proxyFailure(sandboxId);
      return new Response(`<html>${upstreamSecret}</html>`, {
        status: 502,
        headers: { 'content-type': 'text/html' },
      });
    default:
      return new Response('It runs', { status: location === undefined ? 200 : 302, headers });
  }
}

/** E2B's proxy speaks for what is not there: to browsers with a page, to others with this. */
function proxyFailure(sandboxId: string): Response {
  return Response.json({ sandboxId, message: upstreamSecret, port: 80, code: 502 }, { status: 502 });
}

function locationOf({ origin, pathname }: URL, port: number): string | undefined {
  if (pathname === '/own-host') return `${origin}/next`;
  if (pathname === '/local-host') return `http://localhost:${port}/next`;
  return pathname === '/relative' ? '/next' : undefined;
}
