import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { Miniflare } from 'miniflare';
import { expect, it } from 'vitest';
import { FakeChannel } from './support/fake-channel.js';
import { RelayServer } from './support/relay-server.js';
import { TcpProxy } from './support/tcp-proxy.js';

it('a client in workerd, without nodejs_compat, outlives its connection', async () => {
  const entry = fileURLToPath(new URL('./support/workerd-client.ts', import.meta.url));
  const { outputFiles } = await build({ entryPoints: [entry], bundle: true, format: 'esm', write: false });
  const upstream = new FakeChannel(5);
  const server = await RelayServer.listen(async () => upstream);
  const proxy = await TcpProxy.listen(server.port);
  const worker = new Miniflare({
    modules: true,
    script: outputFiles[0]?.text ?? '',
    compatibilityDate: '2026-04-20',
  });
  try {
    const answer = worker.dispatchFetch(`http://worker/?port=${proxy.port}`);
    await expect.poll(() => new TextDecoder().decode(upstream.input)).toBe('typed');
    upstream.print('one ');
    await expect.poll(() => upstream.acked).toBe(4);
    proxy.cutAll();
    upstream.print('two');
    await expect.poll(() => proxy.connections).toBe(2);
    upstream.exit();
    expect(await (await answer).json()).toEqual({
      text: 'one two',
      states: ['reconnecting', 'open', 'closed'],
    });
  } finally {
    await worker.dispose();
    await proxy.close();
    await server.close();
  }
});
