import { equal, ok, rejects } from './assert.js';
import type { Suite } from './case.js';

export const functions: Suite = {
  name: 'functions',
  cases: [
    {
      name: 'getSignature signs a URL that envd takes, and for that file alone',
      via: 'key',
      async run({ create, edge, env }) {
        const sandbox = await create();
        await sandbox.files.write('signed.txt', 'for whoever has the URL');
        await sandbox.files.write('other.txt', 'for nobody');
        const answer = await fetch(`${env.apiUrl}/sandboxes/${sandbox.sandboxId}/connect`, {
          method: 'POST',
          headers: { 'x-api-key': env.apiKey, 'content-type': 'application/json' },
          body: JSON.stringify({ timeout: 60 }),
        });
        const { envdAccessToken } = (await answer.json()) as { envdAccessToken: string };
        const { signature } = await edge.getSignature({
          path: 'signed.txt',
          operation: 'read',
          user: undefined,
          envdAccessToken,
        });
        const read = (path: string) =>
          fetch(`${env.sandboxUrl}/files?${new URLSearchParams({ path, signature })}`);
        equal(await (await read('signed.txt')).text(), 'for whoever has the URL', 'the file');
        const refused = await read('other.txt');
        ok(refused.status >= 400, `another file was answered with ${refused.status}`);
        await refused.body?.cancel();
      },
    },
    {
      name: 'createClient binds its options to the sandboxes of a pool too',
      via: 'key',
      async run({ edge, key }) {
        const pool = edge.createClient(key).createSandboxPool({ min: 0, max: 1 });
        const sandboxId = await pool.use(async (sandbox) => {
          equal((await sandbox.commands.run('echo pooled')).stdout, 'pooled\n', 'a command');
          return sandbox.sandboxId;
        });
        await pool.drain();
        equal(await edge.Sandbox.kill(sandboxId, key), false, 'the sandbox is gone with the pool');
      },
    },
    {
      name: 'isE2BEdgeError knows the errors of every entry, by code too',
      async run({ sandbox, browser, edge, errors }) {
        const { files } = await sandbox();
        const error = await rejects(files.read('nothing-here'), errors.FileNotFoundError);
        for (const { isE2BEdgeError } of [browser, edge, errors]) {
          equal(isE2BEdgeError(error), true, 'an error of the package');
          equal(isE2BEdgeError(error, error.code), true, 'with its code');
          equal(isE2BEdgeError(error, 'another_code'), false, 'with another code');
          equal(isE2BEdgeError(new TypeError('of the language')), false, 'another error');
        }
      },
    },
  ],
};
