/** Directories in strict mode, and the prefixes that they are kept to. */

import type { Grant } from 'e2b-edge/broker';
import { describe, expect, test } from 'vitest';
import type { BrokerStage } from '../broker-stage.js';
import { failure, home, prefix, strictly } from '../strict-session.js';

export function strictTrees(stage: BrokerStage): void {
  describe('the tree in strict mode', () => {
    test('is told of as by envd', async () => {
      const { root, sandbox } = await strictly(
        stage,
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
      const { root, sandbox } = await strictly(stage);
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
      const { root, sandbox } = await strictly(stage);
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
        stage,
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
        stage,
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
        stage,
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
      const { sandbox } = await strictly(stage, 'echo x > /root/secret', files);
      expect(await failure(sandbox.files.read('/root/secret'))).toBe('permission_denied');
      expect(await failure(sandbox.files.write('/etc/evil', 'x'))).toBe('permission_denied');
      expect((await sandbox.files.list('/')).map(({ name }) => name)).toContain('etc');
      expect(await sandbox.files.getInfo('/')).toMatchObject({ path: '/', type: 'dir', owner: 'root' });
      await sandbox.files.write('~/mine', 'x');
      expect(await sandbox.files.read(`${home}/mine`)).toBe('x');
    });
  });
}
