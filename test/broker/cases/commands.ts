/** Commands under a grant, in real processes. */

import type { Grant, Session } from 'e2b-edge/broker';
import type { Sandbox } from 'e2b-edge/browser';
import { describe, expect, test } from 'vitest';
import { everything } from '../broker-client.js';
import type { BrokerStage } from '../broker-stage.js';

export function commands(stage: BrokerStage): void {
  /** A session that may do all, and a narrower one of the same user in the same sandbox. */
  async function narrowed(grants: Grant): Promise<{ wide: Sandbox; narrow: Sandbox; session: Session }> {
    const broker = stage.at('default');
    const made = await broker.session({ grants: everything });
    const session = await broker.session({ sandbox: { id: made.sandboxId }, grants });
    return { wide: await broker.connect(made), narrow: await broker.connect(session), session };
  }

  const failure = (work: Promise<unknown>) =>
    work.then(
      () => 'done',
      (error: { code: string }) => error.code,
    );

  describe('an exact command', () => {
    const command = 'echo "$MODE in $PWD"; cat';

    test('runs as it was granted, with nothing of the page’s, and nothing else runs', async () => {
      const envs = { MODE: 'all' };
      const { narrow } = await narrowed({ commands: [{ command, cwd: '/tmp', envs }, 'id -un'] });
      expect((await narrow.commands.run(command, { cwd: '/tmp', envs, stdin: true })).stdout).toBe(
        'all in /tmp\n',
      );
      expect((await narrow.commands.run('id -un')).stdout).toBe('user\n');
      for (const [line, options] of [
        [command, { envs }],
        [command, { cwd: '/tmp' }],
        [command, { cwd: '/tmp', envs: { ...envs, BASH_ENV: '/tmp/x' } }],
        [command, { cwd: '/', envs }],
        [`${command} `, { cwd: '/tmp', envs }],
        ['id', {}],
        ['id -un', { envs: { PATH: '/tmp' } }],
        ['id -un', { user: 'root' }],
      ] as const) {
        const outcome = narrow.commands.run(line, options).then(
          ({ stdout }) => stdout,
          (error: { code: string }) => error.code,
        );
        // The user is the pinned one, whoever is asked for.
        expect(await outcome).toBe('user' in options ? 'user\n' : 'permission_denied');
      }
      expect(await failure(narrow.pty.create({ cols: 80, rows: 24 }))).toBe('permission_denied');
    });

    test('reads what the page writes only where that is granted', async () => {
      const { narrow } = await narrowed({ commands: ['cat', { command: 'tr a b', stdin: true }] });
      const closed = await narrow.commands.run('cat', { background: true, stdin: true });
      expect(await failure(closed.sendStdin('x'))).toBe('permission_denied');
      expect((await closed.wait()).stdout).toBe('');
      const open = await narrow.commands.run('tr a b', { background: true, stdin: true });
      await open.sendStdin('banana');
      await open.closeStdin();
      expect((await open.wait()).stdout).toBe('bbnbnb');
    });

    test('does not reach what was started under another grant', async () => {
      const { wide, narrow } = await narrowed({ commands: ['sleep 600', { command: 'cat', stdin: true }] });
      const others = [
        await wide.commands.run('sleep 600', { background: true, timeoutMs: 0 }),
        await wide.commands.run('cat', { background: true, stdin: true, timeoutMs: 0 }),
        await wide.pty.create({ cols: 80, rows: 24, timeoutMs: 0, onData: () => undefined }),
      ];
      const own = await narrow.commands.run('sleep 600', { background: true, timeoutMs: 0 });
      expect((await narrow.commands.list()).map(({ pid }) => pid)).toEqual([own.pid]);
      for (const { pid } of others) {
        expect(await failure(narrow.commands.connect(pid))).toBe('permission_denied');
        expect(await failure(narrow.commands.sendStdin(pid, 'x'))).toBe('permission_denied');
        expect(await failure(narrow.commands.kill(pid))).toBe('permission_denied');
      }
      expect(await narrow.commands.kill(own.pid)).toBe(true);
      await expect
        .poll(async () => (await wide.commands.list()).map(({ pid }) => pid).sort())
        .toEqual(others.map(({ pid }) => pid).sort());
      for (const { pid } of others) await wide.commands.kill(pid);
    });

    test('is not run from where the page may write, whatever symlinks say', async () => {
      const { wide, narrow } = await narrowed({
        commands: [{ command: './tool', cwd: '/home/user/app' }],
        files: [{ op: 'write', prefix: '/tmp/in' }],
      });
      await wide.commands.run(
        'mkdir -p real /tmp/in && printf "#!/bin/sh\\necho fine" > real/tool && chmod +x real/tool && cp real/tool /tmp/in && ln -s real app',
      );
      const run = () => narrow.commands.run('./tool', { cwd: '/home/user/app' });
      expect((await run()).stdout).toBe('fine\n');
      await wide.commands.run('ln -sfn /tmp/in app');
      expect(await failure(run())).toBe('permission_denied');
    });
  });

  test('a command that ended while nobody listened still tells how', async () => {
    const broker = stage.at('default');
    const sandbox = await broker.connect();
    const command = await sandbox.commands.run('sleep 1; exit 3', { background: true });
    await command.disconnect();
    // Until envd has forgotten it as well, which takes half a minute.
    await expect.poll(async () => (await sandbox.commands.list()).length, { timeout: 10_000 }).toBe(0);
    const late = await sandbox.commands.connect(command.pid);
    await expect(late.wait()).rejects.toMatchObject({ exitCode: 3 });
  });
}
