/** A program for any worker: of a page, of a service, or of Cloudflare. Nothing runs it: it is compiled. */

import { Sandbox } from 'e2b-edge';
import { createBroker } from 'e2b-edge/broker';
import { fetchSession, Sandbox as SessionSandbox } from 'e2b-edge/browser';

const broker = createBroker({
  apiKey: 'e2b_00',
  signingKeys: { current: 'a key of thirty-two characters…' },
  origins: ['https://app.example'],
  authorize: () => null,
});

export async function worker(request: Request): Promise<Response> {
  if (new URL(request.url).pathname.startsWith('/api')) return broker(request);
  const sandbox = await Sandbox.create('base', { signal: request.signal });
  const session = await SessionSandbox.connect({ session: () => fetchSession('https://app.example/api') });
  const { stdout } = await session.commands.run('uname -a');
  const body: ReadableStream<Uint8Array> = await sandbox.files.read('log', { format: 'stream' });
  return new Response(body, { headers: { 'x-system': stdout } });
}
