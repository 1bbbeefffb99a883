import { equal, ok, patternBytes, rejects } from './assert.js';
import type { Suite } from './case.js';

export const filesOptions: Suite = {
  name: 'options of files',
  cases: [
    {
      name: 'writes as bare bytes and as a form',
      async run({ sandbox }) {
        const { files } = await sandbox();
        const bytes = patternBytes(70_000);
        for (const useOctetStream of [true, false]) {
          for (const data of [bytes, bytes.buffer, new Blob([bytes]), new Blob([bytes]).stream()]) {
            const info = await files.write('it\'s "f".bin', data, { useOctetStream });
            equal(info.name, 'it\'s "f".bin', 'name');
            equal(await files.read('it\'s "f".bin', { format: 'bytes' }), bytes, `octets ${useOctetStream}`);
          }
          const several = ['a', 'b"', 'ü'].map((path) => ({ path, data: path }));
          const infos = await files.writeFiles(several, { useOctetStream });
          equal(
            infos.map(({ name }) => name),
            ['a', 'b"', 'ü'],
            'names',
          );
          equal(await files.read('b"'), 'b"', 'one of several');
        }
      },
    },
    {
      name: 'a signal ends a write whose stream does not end, and cancels the stream',
      async run({ sandbox }) {
        const { files } = await sandbox();
        const given = new AbortController();
        let cancelled: unknown;
        const endless = new ReadableStream<Uint8Array>({
          start: (controller) => {
            controller.enqueue(new Uint8Array(10));
            setTimeout(() => given.abort('enough'), 100);
          },
          cancel: (reason) => {
            cancelled = reason;
          },
        });
        const writing = files.write('endless', endless, { useOctetStream: false, signal: given.signal });
        equal(await writing.catch((error: unknown) => error), 'enough', 'what the write rejects with');
        equal(cancelled, 'enough', 'what the stream is cancelled with');
      },
    },
    {
      name: 'refuses a stream of something else than bytes, where it is gathered',
      async run({ sandbox, errors }) {
        const { files } = await sandbox();
        const words = new ReadableStream<Uint8Array>({
          start: (controller) => controller.enqueue('words' as unknown as Uint8Array),
        });
        await rejects(files.write('words', words, { useOctetStream: false }), errors.InvalidArgumentError);
      },
    },
    {
      name: 'writes nothing, in every kind of data',
      async run({ sandbox }) {
        const { files } = await sandbox();
        const kinds: Record<string, () => string | ArrayBuffer | Uint8Array | Blob | ReadableStream> = {
          string: () => '',
          buffer: () => new ArrayBuffer(0),
          view: () => new Uint8Array(0),
          blob: () => new Blob([]),
          stream: () => new ReadableStream({ start: (controller) => controller.close() }),
        };
        for (const useOctetStream of [true, false]) {
          for (const [kind, data] of Object.entries(kinds)) {
            await files.write(kind, 'something', { useOctetStream });
            await files.write(kind, data(), { useOctetStream });
            equal((await files.getInfo(kind)).size, 0, `the size of an empty ${kind}`);
          }
        }
      },
    },
    {
      name: 'compresses on the way',
      via: 'key',
      async run({ sandbox }) {
        const { files, commands } = await sandbox();
        const text = 'the same again and again\n'.repeat(10_000);
        await files.write('packed', text, { gzip: true });
        equal((await commands.run('wc -c < packed')).stdout.trim(), String(text.length), 'as it arrived');
        await files.write('packed-too', new Blob([text]).stream(), { gzip: true });
        equal(await files.read('packed-too', { gzip: true }), text, 'read compressed');
        await files.write('packed-nothing', '', { gzip: true });
        equal(await files.read('packed-nothing', { gzip: true }), '', 'nothing, compressed');
      },
    },
    {
      name: 'says that a broker takes nothing compressed',
      via: 'session',
      async run({ sandbox, errors }) {
        const { files } = await sandbox();
        await rejects(
          files.write('packed', 'text', { gzip: true }),
          errors.SandboxError,
          'unsupported_media_type',
        );
        await files.write('plain', 'text');
        equal(await files.read('plain', { gzip: true }), 'text', 'reading may ask for it');
      },
    },
    {
      name: 'keeps labels with a file',
      async run({ sandbox, errors }) {
        const { files } = await sandbox();
        const info = await files.write('labelled', 'x', { metadata: { Owner: 'Ann B.', 'x-1': '' } });
        if (info.metadata) {
          equal(info.metadata, { owner: 'Ann B.', 'x-1': '' }, 'as written');
          equal((await files.getInfo('labelled')).metadata, info.metadata, 'as told');
          const [entry] = (await files.list('.')).filter(({ name }) => name === 'labelled');
          equal(entry?.metadata, info.metadata, 'as listed');
        }
        await files.write('labelled', 'y');
        equal((await files.getInfo('labelled')).metadata, undefined, 'after writing without any');
        const several = await files.write(
          ['a', 'b'].map((path) => ({ path, data: '' })),
          { metadata: { k: 'v' } },
        );
        equal(
          several.map(({ metadata }) => metadata ?? { k: 'v' }),
          [{ k: 'v' }, { k: 'v' }],
          'of several',
        );
        await rejects(
          files.write('f', '', { metadata: { big: 'x'.repeat(5000) } }),
          errors.InvalidArgumentError,
        );
      },
    },
    {
      name: 'takes the home of the user that is named',
      via: 'key',
      async run({ sandbox, errors }) {
        const { files } = await sandbox();
        const info = await files.write('of-root', 'x', { user: 'root' });
        equal(info.path, '/root/of-root', 'path');
        equal(await files.read('~/of-root', { user: 'root' }), 'x', 'content');
        equal((await files.getInfo('/root/of-root')).owner, 'root', 'owner');
        equal(await files.exists('of-root'), false, "in the user's own home");
        await rejects(files.list('.', { user: 'nobody-here' }), errors.AuthenticationError);
        await rejects(files.read('of-root', { user: 'nobody-here' }), errors.AuthenticationError);
      },
    },
    {
      name: 'takes an empty path for the working directory, to look at',
      via: 'key',
      async run({ sandbox, errors }) {
        const { files } = await sandbox();
        await files.write('here', 'x');
        equal((await files.getInfo('')).path, '/home/user', 'path');
        equal(await files.exists(''), true, 'exists');
        ok(
          (await files.list('')).some(({ name }) => name === 'here'),
          'what is in it',
        );
        await rejects(files.remove(''), errors.InvalidArgumentError, 'invalid_argument');
        await rejects(files.rename('', 'elsewhere'), errors.InvalidArgumentError, 'invalid_argument');
        equal(await files.read('here'), 'x', 'that nothing was removed');
      },
    },
    {
      name: 'tells everything of an entry',
      async run({ sandbox }) {
        const { files, commands } = await sandbox();
        await commands.run(
          'mkdir d && echo 12345 > d/f && chmod 640 d/f && touch -d @1000000000.5 d/f && ln -s f d/to-file && ln -s . d/to-dir && ln -s nowhere d/broken && mkfifo d/pipe',
        );
        const listed = await files.list('d');
        equal(
          listed.map(({ name, type }) => [name, type]),
          [
            ['broken', undefined],
            ['f', 'file'],
            ['pipe', undefined],
            ['to-dir', 'dir'],
            ['to-file', 'file'],
          ],
          'names and types',
        );
        for (const entry of listed) {
          equal(await files.getInfo(entry.path), entry, `what getInfo tells of ${entry.name}`);
        }
        const file = listed[1];
        ok(file, 'the file');
        const { mode, size, permissions, owner, group } = file;
        equal(
          { mode, size, permissions, owner, group },
          { mode: 0o640, size: 6, permissions: '-rw-r-----', owner: 'user', group: 'user' },
          'the file',
        );
        equal(file.modifiedTime?.toISOString(), '2001-09-09T01:46:40.500Z', 'modifiedTime');
        equal('symlinkTarget' in file, false, 'symlinkTarget of a file');
        equal(
          listed.map(({ symlinkTarget }) => symlinkTarget),
          ['/home/user/d/broken', undefined, undefined, '/home/user/d', '/home/user/d/f'],
          'where links lead',
        );
      },
    },
  ],
};
