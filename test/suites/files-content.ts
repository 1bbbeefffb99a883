import { equal, ok, patternBytes, sha256, until } from './assert.js';
import type { Suite } from './case.js';

const large = 5 * 1024 * 1024 + 13;

function streamOf(bytes: Uint8Array<ArrayBuffer>, chunk: number): ReadableStream<Uint8Array<ArrayBuffer>> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(at, at + chunk));
      at += chunk;
    },
  });
}

export const filesContent: Suite = {
  name: 'content of files',
  cases: [
    {
      name: 'writes text and reads it in every format',
      async run({ sandbox }) {
        const { files } = await sandbox();
        const text = 'first line\nзворотний, 終わり, 🦀\r\n\ttab';
        const info = await files.write('text.txt', text);
        equal(info.name, 'text.txt', 'name');
        equal(info.path, '/home/user/text.txt', 'path');
        equal(await files.read('text.txt'), text, 'text');
        equal(await files.read('text.txt', { format: 'text' }), text, 'text, asked for');
        const bytes = new TextEncoder().encode(text);
        equal(await files.read('text.txt', { format: 'bytes' }), bytes, 'bytes');
        const blob = await files.read('text.txt', { format: 'blob' });
        ok(blob instanceof Blob, 'a Blob');
        equal(await blob.text(), text, 'blob');
        const stream = await files.read('text.txt', { format: 'stream' });
        equal(await new Response(stream).text(), text, 'stream');
      },
    },
    {
      name: 'writes every kind of data',
      async run({ sandbox }) {
        const { files } = await sandbox();
        const bytes = patternBytes(70_000);
        await files.write('buffer', bytes.buffer);
        await files.write('blob', new Blob([bytes]));
        await files.write('stream', streamOf(bytes, 16_384));
        for (const name of ['buffer', 'blob', 'stream']) {
          equal(await files.read(name, { format: 'bytes' }), bytes, name);
        }
      },
    },
    {
      name: 'keeps an empty file empty in every format',
      async run({ sandbox }) {
        const { files } = await sandbox();
        await files.write('empty', '');
        await files.write('empty-buffer', new ArrayBuffer(0));
        equal(await files.read('empty'), '', 'text');
        equal((await files.read('empty', { format: 'bytes' })).length, 0, 'bytes');
        equal((await files.read('empty', { format: 'blob' })).size, 0, 'blob');
        const stream = await files.read('empty', { format: 'stream' });
        equal(await new Response(stream).text(), '', 'stream');
        equal((await files.getInfo('empty-buffer')).size, 0, 'size');
      },
    },
    {
      name: 'keeps bytes that are no UTF-8',
      async run({ sandbox }) {
        const { files } = await sandbox();
        const bytes = Uint8Array.from({ length: 512 }, (_, index) => index % 256);
        await files.write('binary', bytes.buffer);
        equal(await files.read('binary', { format: 'bytes' }), bytes, 'bytes');
      },
    },
    {
      name: 'keeps a byte order mark and line ends',
      async run({ sandbox }) {
        const { files } = await sandbox();
        const bytes = new Uint8Array([0xef, 0xbb, 0xbf, 0x61, 0x0d, 0x0a, 0x00, 0x62]);
        await files.write('bom', bytes.buffer);
        equal(await files.read('bom', { format: 'bytes' }), bytes, 'bytes');
      },
    },
    {
      name: 'carries five megabytes whole, both ways and in every form',
      async run({ sandbox }) {
        const { files, commands } = await sandbox();
        const bytes = patternBytes(large);
        const digest = await sha256(bytes);
        await files.write('large', bytes.buffer);
        const seen = await commands.run('sha256sum < large');
        equal(seen.stdout.slice(0, 64), digest, 'as the sandbox sees it');
        equal(await sha256((await files.read('large', { format: 'bytes' })).slice()), digest, 'bytes');
        const stream = await files.read('large', { format: 'stream' });
        const streamed = new Uint8Array(await new Response(stream).arrayBuffer());
        equal(await sha256(streamed), digest, 'stream');
        await files.write('large-again', streamOf(bytes, 65_536));
        equal(
          (await commands.run('sha256sum < large-again')).stdout.slice(0, 64),
          digest,
          'written as a stream',
        );
      },
    },
    {
      name: 'sends a stream while it is still being made',
      needs: ['streaming-uploads'],
      async run({ sandbox, env, observer }) {
        const { files, sandboxId } = await sandbox(env.observed);
        const parts = [patternBytes(100_000), patternBytes(100_000)];
        let sent = 0;
        const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
          async pull(controller) {
            if (sent === 1)
              await until(
                async () => (await observer.open(sandboxId, '/files')) === 1,
                'the first part is on its way',
              );
            const part = parts[sent++];
            if (part) controller.enqueue(part);
            else controller.close();
          },
        });
        await files.write('streamed', stream);
        equal((await files.getInfo('streamed')).size, 200_000, 'size');
      },
    },
    {
      name: 'leaves a stream that is not read to its end',
      async run({ sandbox }) {
        const { files } = await sandbox();
        await files.write('large', patternBytes(large).buffer);
        const stream = await files.read('large', { format: 'stream' });
        const reader = stream.getReader();
        const { value } = await reader.read();
        ok(value && value.length > 0, 'a first chunk');
        await reader.cancel();
        equal(await files.exists('large'), true, 'the sandbox still answers');
      },
    },
    {
      name: 'writes several files at once, and none',
      async run({ sandbox }) {
        const { files } = await sandbox();
        const infos = await files.write([
          { path: 'many/one.txt', data: 'one' },
          { path: 'many/two.bin', data: patternBytes(1000).buffer },
          { path: '/home/user/many/deep/three.txt', data: new Blob(['three']) },
        ]);
        equal(
          infos.map(({ path }) => path),
          ['/home/user/many/one.txt', '/home/user/many/two.bin', '/home/user/many/deep/three.txt'],
          'paths',
        );
        equal(await files.read('many/one.txt'), 'one', 'one');
        equal(await files.read('many/two.bin', { format: 'bytes' }), patternBytes(1000), 'two');
        equal(await files.read('many/deep/three.txt'), 'three', 'three');
        equal(await files.write([]), [], 'nothing');
      },
    },
    {
      name: 'replaces what was there',
      async run({ sandbox }) {
        const { files } = await sandbox();
        await files.write('again', 'a much longer first text');
        await files.write('again', 'short');
        equal(await files.read('again'), 'short', 'the text');
      },
    },
  ],
};
