/** Files in strict mode: what a page asks for is done by the sandbox's user, within the prefix, and never by root. */

import { randomBytes } from 'node:crypto';
import type { Grant, Session } from 'e2b-edge/broker';
import type { Sandbox } from 'e2b-edge/browser';
import { describe, expect, test } from 'vitest';
import { bearer, everything, sendAsBrowser } from '../broker-client.js';
import type { BrokerStage } from '../broker-stage.js';

const home = '/home/user';
const prefix = `${home}/in`;
const within: NonNullable<Grant['files']> = [
  { op: 'read', prefix },
  { op: 'write', prefix },
];
const megabyte = 1024 * 1024;

interface Strict {
  /** Another session on the same sandbox, that may do all, as root. */
  root: Sandbox;
  session: Session;
  sandbox: Sandbox;
  /** Asks for a file as it is. */
  get(path: string, headers?: Record<string, string>): Promise<Response>;
  put(path: string, body: BodyInit, headers?: Record<string, string>): Promise<Response>;
}

export function strict(stage: BrokerStage): void {
  /** What `setUp` does, root does as a shell. */
  async function strictly(setUp = 'true', files = within): Promise<Strict> {
    const broker = stage.at('default');
    const grants: Grant = { ...everything, user: 'root' };
    const made = await broker.session({ grants });
    const root = await broker.connect(made);
    await root.commands.run(`mkdir -p ${prefix} && chown user: ${prefix} && cd ${prefix} && ${setUp}`);
    const session = await broker.session({
      sandbox: { id: made.sandboxId },
      grants: { files, strict: true, user: 'user', commands: 'run' },
    });
    const request = async (path: string, init: RequestInit) =>
      sendAsBrowser(`${session.urls.envd}/files?${new URLSearchParams({ path })}`, {
        ...init,
        headers: { ...bearer(session), 'accept-encoding': 'identity', ...(init.headers as object) },
      });
    return {
      root,
      session,
      sandbox: await broker.connect(session),
      get: (path, headers = {}) => request(path, { headers }),
      put: (path, body, headers = {}) =>
        request(path, {
          method: 'POST',
          body,
          headers: { 'content-type': 'application/octet-stream', ...headers },
          ...({ duplex: 'half' } as object),
        }),
    };
  }

  const codeOf = async (response: Response) => {
    const { code } = (await response.json()) as { code: string };
    return `${response.status} ${code}`;
  };
  const failure = (work: Promise<unknown>) =>
    work.then(
      () => 'done',
      (error: { code: string }) => error.code,
    );

  describe('a file in strict mode', () => {
    test('is written and read byte by byte, and is the user’s', async () => {
      const { root, sandbox, get, put } = await strictly();
      const data = new Uint8Array(randomBytes(3 * megabyte + 7));
      expect(await sandbox.files.write(`${prefix}/new/deep/x.bin`, data)).toMatchObject({
        path: `${prefix}/new/deep/x.bin`,
        name: 'x.bin',
        type: 'file',
      });
      const read = await sandbox.files.read(`${prefix}/new/deep/x.bin`, { format: 'bytes' });
      expect(Buffer.compare(read, data)).toBe(0);
      const { stdout } = await root.commands.run(
        `stat -c '%U %a' ${prefix}/new ${prefix}/new/deep/x.bin; ls -A ${prefix}/new/deep`,
      );
      expect(stdout).toBe('user 755\nuser 644\nx.bin\n');
      expect((await put(`${prefix}/empty`, new Uint8Array())).status).toBe(200);
      const empty = await get(`${prefix}/empty`);
      expect([empty.status, await empty.text()]).toEqual([200, '']);
    });

    test('in the place of another keeps its mode, and is whole or not at all', async () => {
      const { root, sandbox, put } = await strictly('echo old > x && chmod 640 x && chown user x');
      const body = new ReadableStream({
        start(controller) {
          controller.enqueue(new TextEncoder().encode('half'));
        },
        pull: (controller) => controller.error(new Error('the page went away')),
      });
      await expect(put(`${prefix}/x`, body)).rejects.toThrow();
      await expect
        .poll(async () => (await root.commands.run(`ls -A ${prefix}`)).stdout, { timeout: 10_000 })
        .toBe('x\n');
      expect(await sandbox.files.read(`${prefix}/x`)).toBe('old\n');
      await sandbox.files.write(`${prefix}/x`, 'new');
      expect((await root.commands.run(`cat x; stat -c ' %a' x`, { cwd: prefix })).stdout).toBe('new 640\n');
    });

    test('is read by ranges and by its time', async () => {
      const { get } = await strictly('printf 0123456789 > x && touch -d @1700000000 x && : > empty');
      const ranged = async (range: string, path = 'x', more = {}) => {
        const answer = await get(`${prefix}/${path}`, { range, ...more });
        if (answer.status >= 400) return codeOf(answer);
        return `${answer.status} ${answer.headers.get('content-range')} ${await answer.text()}`;
      };
      expect(await ranged('bytes=2-4')).toBe('206 bytes 2-4/10 234');
      expect(await ranged('bytes=08-')).toBe('206 bytes 8-9/10 89');
      expect(await ranged('bytes=-3')).toBe('206 bytes 7-9/10 789');
      expect(await ranged('bytes=-99')).toBe('206 bytes 0-9/10 0123456789');
      expect(await ranged('bytes=5-99')).toBe('206 bytes 5-9/10 56789');
      expect(await ranged('bytes=10-')).toBe('416 range_not_satisfiable');
      expect(await ranged('bytes=-0')).toBe('416 range_not_satisfiable');
      expect(await ranged('bytes=0-', 'empty')).toBe('416 range_not_satisfiable');
      for (const ignored of ['bytes=0-1,3-4', 'bytes=4-2', 'bytes=-', 'lines=1-2', 'bytes=$(id)-']) {
        expect(await ranged(ignored)).toBe('200 null 0123456789');
      }
      const time = new Date(1_700_000_000_000).toUTCString();
      const later = new Date(1_700_000_001_000).toUTCString();
      expect(await ranged('bytes=2-4', 'x', { 'if-range': time })).toBe('206 bytes 2-4/10 234');
      expect(await ranged('bytes=2-4', 'x', { 'if-range': later })).toBe('200 null 0123456789');
      expect(await ranged('bytes=2-4', 'x', { 'if-range': '"tag"' })).toBe('200 null 0123456789');
      const whole = await get(`${prefix}/x`);
      expect(whole.headers.get('last-modified')).toBe(time);
      expect(whole.headers.get('content-security-policy')).toBe("default-src 'none'; sandbox");
      expect(await whole.text()).toBe('0123456789');
      expect((await get(`${prefix}/x`, { 'if-modified-since': time })).status).toBe(304);
      const changed = await get(`${prefix}/x`, { 'if-modified-since': 'Mon, 13 Nov 2023 00:00:00 GMT' });
      expect(await changed.text()).toBe('0123456789');
    });

    test('of 100 MB passes both ways', async () => {
      const { get, put, root } = await strictly();
      const piece = new Uint8Array(randomBytes(megabyte));
      let sent = 0;
      const body = new ReadableStream<Uint8Array>({
        pull(controller) {
          if (sent === 100) return controller.close();
          controller.enqueue(piece);
          sent++;
        },
      });
      expect((await put(`${prefix}/huge`, body)).status).toBe(200);
      expect((await root.commands.run(`stat -c %s ${prefix}/huge`)).stdout).toBe(`${100 * megabyte}\n`);
      const answer = await get(`${prefix}/huge`);
      let offset = 0;
      for await (const chunk of answer.body as ReadableStream<Uint8Array>) {
        for (let at = 0; at < chunk.length; ) {
          const from = (offset + at) % megabyte;
          const part = chunk.subarray(at, at + megabyte - from);
          if (Buffer.compare(part, piece.subarray(from, from + part.length)) !== 0)
            throw new Error(`differs near ${offset}`);
          at += part.length;
        }
        offset += chunk.length;
      }
      expect(offset).toBe(100 * megabyte);
    });

    test('that the user may not have is refused as by envd’s codes', async () => {
      const { get, put, sandbox } = await strictly(
        'echo secret > secret && chmod 600 secret && mkdir -m 700 closed && mkdir -m 755 roots && echo x > roots/x && mkfifo pipe && chown user pipe',
      );
      expect(await codeOf(await get(`${prefix}/secret`))).toBe('403 permission_denied');
      expect(await codeOf(await get(`${prefix}/closed/x`))).toBe('403 permission_denied');
      expect(await codeOf(await get(`${prefix}/none`))).toBe('404 file_not_found');
      expect(await codeOf(await get(`${prefix}/none/x`))).toBe('404 file_not_found');
      expect(await codeOf(await get(prefix))).toBe('400 invalid_argument');
      expect(await codeOf(await get(`${prefix}/pipe`))).toBe('400 invalid_argument');
      expect(await codeOf(await put(`${prefix}/secret`, 'x'))).toBe('403 permission_denied');
      expect(await codeOf(await put(`${prefix}/roots/x`, 'x'))).toBe('403 permission_denied');
      expect(await codeOf(await put(`${prefix}/roots/y`, 'x'))).toBe('403 permission_denied');
      expect(await codeOf(await put(`${prefix}/roots/new/y`, 'x'))).toBe('403 permission_denied');
      expect(await codeOf(await put(`${prefix}/closed`, 'x'))).toBe('400 invalid_argument');
      expect(await codeOf(await put(`${prefix}/secret/x`, 'x'))).toBe('400 invalid_argument');
      expect(await failure(sandbox.files.list(`${prefix}/closed`))).toBe('permission_denied');
      expect(await failure(sandbox.files.list(`${prefix}/none`))).toBe('file_not_found');
      expect(await failure(sandbox.files.list(`${prefix}/secret`))).toBe('invalid_argument');
      expect(await failure(sandbox.files.makeDir(`${prefix}/roots/new`))).toBe('permission_denied');
      expect(await failure(sandbox.files.remove(`${prefix}/roots/x`))).toBe('permission_denied');
      expect(await failure(sandbox.files.rename(`${prefix}/roots/x`, `${prefix}/x`))).toBe(
        'permission_denied',
      );
      expect(await failure(sandbox.files.getInfo(`${prefix}/none`))).toBe('file_not_found');
      expect(await failure(sandbox.files.remove(`${prefix}/none/x`))).toBe('done');
    });
  });

  describe('the tree in strict mode', () => {
    test('is told of as by envd', async () => {
      const { root, sandbox } = await strictly(
        'mkdir -p d/e && echo a > d/e/f && echo b > "d/a b" && ln -s e/f d/link && ln -s /nowhere d/broken && mkdir -m 1777 d/t && ln -s self d/self && chmod 4711 d/e/f && ln -s d dir',
      );
      for (const depth of [1, 3]) {
        for (const path of ['d', 'dir', '.']) {
          const options = { depth };
          const [told, expected] = [
            await sandbox.files.list(`${prefix}/${path}`, options),
            await root.files.list(`${prefix}/${path}`, options),
          ];
          expect(told).toEqual(expected);
        }
      }
      for (const path of ['d', 'd/e/f', 'd/link', 'dir', 'd/t', '.']) {
        expect(await sandbox.files.getInfo(`${prefix}/${path}`)).toEqual(
          await root.files.getInfo(`${prefix}/${path}`),
        );
      }
    });

    test('is changed as by envd', async () => {
      const { root, sandbox } = await strictly();
      expect(await sandbox.files.makeDir(`${prefix}/a/b`)).toBe(true);
      expect(await sandbox.files.makeDir(`${prefix}/a/b`)).toBe(false);
      await sandbox.files.write(`${prefix}/a/b/x`, 'x');
      expect(await failure(sandbox.files.makeDir(`${prefix}/a/b/x`))).toBe('invalid_argument');
      expect(await failure(sandbox.files.makeDir(`${prefix}/a/b/x/y`))).toBe('invalid_argument');
      const moved = await sandbox.files.rename(`${prefix}/a/b/x`, `${prefix}/c/d/y`);
      expect(moved).toMatchObject({ path: `${prefix}/c/d/y`, name: 'y', type: 'file', owner: 'user' });
      await sandbox.files.write(`${prefix}/z`, 'z');
      await sandbox.files.rename(`${prefix}/z`, `${prefix}/c/d/y`);
      expect(await sandbox.files.read(`${prefix}/c/d/y`)).toBe('z');
      expect(await failure(sandbox.files.rename(`${prefix}/z`, `${prefix}/q`))).toBe('file_not_found');
      await sandbox.files.remove(`${prefix}/c`);
      await sandbox.files.remove(`${prefix}/c`);
      expect((await root.commands.run('find . | sort', { cwd: prefix })).stdout).toBe('.\n./a\n./a/b\n');
    });

    test('has any names', async () => {
      const { root, sandbox } = await strictly();
      const names = [
        'a\nb',
        '-rf',
        '$(id)',
        "it's",
        '"',
        ' ',
        '*',
        '\t',
        'é',
        '%2e%2e',
        '~',
        'a:b',
        '\u202e',
        '....',
      ];
      for (const name of names) {
        const path = `${prefix}/${name}/${name}`;
        await sandbox.files.write(path, name);
        expect(await sandbox.files.read(path)).toBe(name);
        expect((await sandbox.files.getInfo(path)).name).toBe(name);
        await sandbox.files.rename(path, `${path}2`);
        expect((await sandbox.files.list(`${prefix}/${name}`)).map((entry) => entry.name)).toEqual([
          `${name}2`,
        ]);
      }
      expect((await sandbox.files.list(prefix)).map(({ name }) => name).sort()).toEqual(names.sort());
      for (const name of names) await sandbox.files.remove(`${prefix}/${name}`);
      // Of what is no text at all a list says that it is there.
      await root.commands.run("touch $'\\xff' && ls -A", { cwd: prefix });
      expect((await sandbox.files.list(prefix)).map(({ name }) => name)).toEqual(['\ufffd']);
    });
  });

  describe('a prefix in strict mode', () => {
    test.each([
      ['at the end', 'ln -s /home/user/out link', 'link'],
      ['to a file', 'ln -s /home/user/out/secret link', 'link'],
      ['on the way', 'ln -s /home/user/out link', 'link/secret'],
      ['that is relative', 'ln -s ../out link', 'link/secret'],
      ['on the way to what is not there', 'ln -s /home/user/out link', 'link/new/x'],
      ['that leads to nothing', 'ln -s /home/user/out/new link', 'link'],
      ['to the root', 'ln -s / link', 'link/home/user/out/secret'],
      ['in /proc', 'ln -s /proc/self/root link', 'link/home/user/out/secret'],
      ['in the place of the prefix', `cd .. && mv in moved && ln -s out in`, 'secret'],
    ])('is not left by a symlink %s', async (_name, link, path) => {
      const { root, sandbox, get, put } = await strictly(
        `mkdir ../out && echo secret > ../out/secret && chmod -R 777 ../out && ${link}`,
      );
      const at = `${prefix}/${path}`;
      expect(await (await get(at)).text()).not.toContain('secret\n');
      expect((await put(at, 'mine')).status).toBeGreaterThanOrEqual(path === 'link' ? 200 : 400);
      expect(await failure(sandbox.files.list(at))).not.toBe('done');
      expect(await failure(sandbox.files.makeDir(`${at}/made`))).not.toBe('done');
      expect(await failure(sandbox.files.rename(`${at}/secret`, `${prefix}/stolen`))).not.toBe('done');
      await failure(sandbox.files.rename(`${prefix}/none`, at));
      await failure(sandbox.files.remove(`${at}/secret`));
      expect((await root.commands.run('ls -A; cat secret', { cwd: `${home}/out` })).stdout).toBe(
        'secret\nsecret\n',
      );
    });

    test('is stayed in by symlinks that stay in it', async () => {
      const { sandbox, root } = await strictly(
        'mkdir real && echo one > real/x && chown -R user real && ln -s real link && ln -s real/x file && ln -s real/new new',
      );
      expect(await sandbox.files.read(`${prefix}/link/x`)).toBe('one\n');
      expect(await sandbox.files.read(`${prefix}/file`)).toBe('one\n');
      await sandbox.files.write(`${prefix}/file`, 'two');
      await sandbox.files.write(`${prefix}/new`, 'new');
      const { stdout } = await root.commands.run('cat real/x real/new; readlink file new', { cwd: prefix });
      expect(stdout).toBe('twonewreal/x\nreal/new\n');
      await sandbox.files.remove(`${prefix}/link`);
      expect(await sandbox.files.read(`${prefix}/real/x`)).toBe('two');
    });

    test('holds against a program that puts another symlink there all the time', async () => {
      const { root, sandbox, get, put } = await strictly(
        'mkdir ../out real && echo inside > real/x && echo secret > ../out/x && chmod -R 777 . ../out && ln -s real a',
      );
      // As a user who may read the secret: what is at stake here is the prefix.
      const swap = await sandbox.commands.run(
        'while :; do ln -s ../out t; mv -T t a; ln -s real t; mv -T t a; done',
        { background: true, cwd: prefix, timeoutMs: 0 },
      );
      const seen = new Set<string>();
      for (let round = 0; round < 60; round++) {
        const answers = await Promise.all([
          get(`${prefix}/a/x`),
          get(`${prefix}/a/x`),
          put(`${prefix}/a/mine`, 'mine'),
        ]);
        for (const answer of answers) seen.add(await answer.text());
      }
      await swap.kill();
      expect([...seen].some((text) => text === 'inside\n')).toBe(true);
      expect([...seen].some((text) => text.includes('secret'))).toBe(false);
      expect((await root.commands.run('ls -A', { cwd: `${home}/out` })).stdout).toBe('x\n');
    });

    test('of the whole tree is what the user may', async () => {
      const files: Grant['files'] = [
        { op: 'read', prefix: '/' },
        { op: 'write', prefix: '/' },
      ];
      const { sandbox } = await strictly('echo x > /root/secret', files);
      expect(await failure(sandbox.files.read('/root/secret'))).toBe('permission_denied');
      expect(await failure(sandbox.files.write('/etc/evil', 'x'))).toBe('permission_denied');
      expect((await sandbox.files.list('/')).map(({ name }) => name)).toContain('etc');
      expect(await sandbox.files.getInfo('/')).toMatchObject({ path: '/', type: 'dir', owner: 'root' });
      await sandbox.files.write('~/mine', 'x');
      expect(await sandbox.files.read(`${home}/mine`)).toBe('x');
    });
  });

  describe('a session in strict mode', () => {
    test('says what it cannot do', async () => {
      const { sandbox, put } = await strictly();
      expect(await failure(sandbox.files.watchDir(prefix, () => undefined))).toBe('unimplemented');
      expect(await codeOf(await put(`${prefix}/x`, 'x', { 'x-metadata-colour': 'red' }))).toBe(
        '501 unimplemented',
      );
      const form = new FormData();
      form.append('file', new Blob(['x']), 'x');
      const { headers, body } = new Request('http://any.test', { method: 'POST', body: form });
      const type = headers.get('content-type') ?? '';
      expect(
        await codeOf(await put(`${prefix}/x`, await new Response(body).bytes(), { 'content-type': type })),
      ).toBe('501 unimplemented');
    });

    test('cannot turn it off, and does not see what it is done by', async () => {
      const { session, sandbox, get } = await strictly('dd if=/dev/zero of=big bs=1M count=64 2> /dev/null');
      const broker = stage.at('default');
      const again = await broker.session(
        { sandbox: { id: session.sandboxId }, grants: { files: within, strict: true, user: 'user' } },
        { grant: { files: within, strict: false } },
      );
      expect(again.grant).toMatchObject({ strict: true, user: 'user' });
      const answer = await get(`${prefix}/big`);
      expect(await sandbox.commands.list()).toEqual([]);
      await answer.body?.cancel();
    });
  });
}
