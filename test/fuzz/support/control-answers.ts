import type { Arrived } from './arrived.js';
import { envdToken, trafficToken, upstreamSecret } from './secrets.js';
import type { World } from './world.js';

const notFound = { code: 404, message: 'sandbox not found' };

/** The control plane, as far as a broker may use it. */
export function answerControl(world: World, { method, url, body }: Arrived): Response {
  const [, id = '', action = ''] = /^\/(?:v2\/)?sandboxes\/?([^/]*)\/?(.*)$/.exec(url.pathname) ?? [];
  if (id === '' && method === 'POST') {
    const { metadata } = JSON.parse(new TextDecoder().decode(body)) as { metadata: Record<string, string> };
    const made = `made${world.sandboxes.size}`;
    world.sandboxes.set(made, metadata.e2bEdgeSubject ?? '');
    return Response.json(record(world, made), { status: 201 });
  }
  if (id === '') return Response.json([...world.sandboxes.keys()].map((one) => record(world, one)));
  if (!world.sandboxes.has(id)) return Response.json(notFound, { status: 404 });
  if (method === 'DELETE') {
    world.sandboxes.delete(id);
    return new Response(null, { status: 204 });
  }
  if (action === 'metrics') return Response.json([{ timestampUnix: 1, cpuCount: 2 }]);
  if (action === 'connect' || action === 'resume') world.paused.delete(id);
  if (action === 'pause') world.paused.add(id);
  if (action === '' || action === 'connect' || action === 'resume') return Response.json(record(world, id));
  return new Response(null, { status: 204 });
}

function record(world: World, sandboxID: string): Record<string, unknown> {
  return {
    sandboxID,
    templateID: 'base',
    clientID: 'x',
    envdVersion: '0.6.13',
    envdAccessToken: envdToken(sandboxID),
    trafficAccessToken: trafficToken,
    metadata: { e2bEdgeSubject: world.sandboxes.get(sandboxID) ?? '', note: upstreamSecret },
    state: world.paused.has(sandboxID) ? 'paused' : 'running',
    startedAt: '2026-01-01T00:00:00Z',
    endAt: '2026-01-01T01:00:00Z',
    cpuCount: 2,
    memoryMB: 512,
    diskSizeMB: 1024,
  };
}
