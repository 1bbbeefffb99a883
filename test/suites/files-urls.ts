import { equal, ok, patternBytes, rejects, until } from './assert.js';
import type { Suite } from './case.js';

const oddPaths = ['plain.txt', 'two words/ü+🦀 %41.txt', 'a&b=c?d#e', 'it\'s "quoted"', 'new\nline'];

export const filesUrls: Suite = {
  name: 'URLs of files',
  cases: [
    {
      name: 'read and write for whoever has them, without any header',
      via: 'key',
      async run({ create }) {
        const sandbox = await create();
        const bytes = patternBytes(70_000);
        for (const path of oddPaths) {
          const upload = await sandbox.uploadUrl(path);
          const form = new FormData();
          form.append('file', new Blob([bytes]), 'other-name');
          const answer = await fetch(upload, { method: 'POST', body: form });
          equal(answer.status, 200, `the status of uploading ${path}`);
          equal(await sandbox.files.read(path, { format: 'bytes' }), bytes, `what is in ${path}`);

          const type = { 'content-type': 'application/octet-stream' };
          const bare = await fetch(upload, { method: 'POST', body: `of ${path}`, headers: type });
          equal(bare.status, 200, 'the status of uploading bare bytes');
          const download = await fetch(await sandbox.downloadUrl(path));
          equal(await download.text(), `of ${path}`, `what ${path} is downloaded as`);
        }
      },
    },
    {
      name: 'leave the path of an upload to its form',
      via: 'key',
      async run({ create }) {
        const sandbox = await create();
        const form = new FormData();
        form.append('file', new Blob(['one']), 'dir/one.txt');
        form.append('file', new Blob(['two']), 'two.txt');
        const answer = await fetch(await sandbox.uploadUrl(), { method: 'POST', body: form });
        equal(answer.status, 200, 'status');
        equal(await sandbox.files.read('dir/one.txt'), 'one', 'one');
        equal(await sandbox.files.read('two.txt'), 'two', 'two');
      },
    },
    {
      name: 'are good for what they were signed for alone',
      via: 'key',
      async run({ create, edge }) {
        const sandbox = await create();
        await sandbox.files.write('a', 'x', { user: 'root' });
        const options = { user: 'root', useSignatureExpiration: 3600 };
        const url = await sandbox.downloadUrl('a', options);
        equal(await (await fetch(url)).text(), 'x', 'the file of root');
        const changed = async (name: string, value: string, method = 'GET'): Promise<number> => {
          const other = new URL(url);
          other.searchParams.set(name, value);
          const { status } = await fetch(other, { method });
          return status;
        };
        equal(await changed('path', 'b'), 401, 'another path');
        equal(await changed('username', 'user'), 401, 'another user');
        equal(await changed('signature_expiration', '9999999999'), 401, 'a longer time');
        equal(await changed('signature', 'v1_x'), 401, 'another signature');
        equal(await changed('path', 'a', 'POST'), 401, 'writing');
        ok(typeof edge.getSignature === 'function', 'getSignature');
      },
    },
    {
      name: 'end when it was said',
      via: 'key',
      async run({ create, errors }) {
        const sandbox = await create();
        await sandbox.files.write('a', 'x');
        const url = await sandbox.downloadUrl('a', { useSignatureExpiration: 2 });
        equal((await fetch(url)).status, 200, 'before');
        await until(async () => (await fetch(url)).status === 401, 'the URL ends');
        await rejects(sandbox.downloadUrl(''), errors.InvalidArgumentError);
        await rejects(
          sandbox.uploadUrl('a', { useSignatureExpiration: -1 }),
          errors.InvalidArgumentError,
          'invalid_argument',
        );
      },
    },
  ],
};
