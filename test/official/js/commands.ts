import { CommandExitError, TimeoutError } from 'e2b';
import { describe, expect, test } from 'vitest';
import { until } from '../../unit/local/support/until.js';
import type { Stage } from './stage.js';

export function commandsMethods(stage: () => Stage): void {
  describe('commands', () => {
    test('run', async () => {
      const { commands } = stage().sandbox;
      const heard: string[] = [];
      expect(
        await commands.run('echo "$GREETING $MORE"; pwd; echo err >&2', {
          envs: { MORE: 'there' },
          cwd: '/tmp',
          onStdout: (text) => void heard.push(text),
        }),
      ).toMatchObject({ exitCode: 0, stdout: 'hi there\n/tmp\n', stderr: 'err\n' });
      expect(heard.join('')).toBe('hi there\n/tmp\n');
      await expect(commands.run('exit 3')).rejects.toThrow(CommandExitError);
      await expect(commands.run('sleep 300', { timeoutMs: 300 })).rejects.toThrow(TimeoutError);
      expect((await commands.run('whoami; id -u', { user: 'user' })).stdout).toBe('user\n1000\n');
      await expect(commands.run('true', { user: 'nobody-such' })).rejects.toThrow(/nobody-such/);
      await expect(commands.run('true', { cwd: '/nowhere' })).rejects.toThrow(/does not exist/);
    });

    test('list, connect, sendStdin, closeStdin', async () => {
      const { commands } = stage().sandbox;
      expect(commands.supportsStdinClose).toBe(true);
      const cat = await commands.run('cat', { background: true, stdin: true });
      expect((await commands.list()).map(({ pid }) => pid)).toContain(cat.pid);
      let seen = '';
      const second = await commands.connect(cat.pid, {
        onStdout: (text) => {
          seen += text;
        },
      });
      await commands.sendStdin(cat.pid, 'typed\n');
      await cat.sendStdin('by the handle\n');
      await until('both see it', () => cat.stdout === 'typed\nby the handle\n' && seen === cat.stdout);
      await commands.closeStdin(cat.pid);
      expect((await cat.wait()).stdout).toBe('typed\nby the handle\n');
      expect((await second.wait()).exitCode).toBe(0);
    });

    test('kill', async () => {
      const { commands } = stage().sandbox;
      const sleep = await commands.run('sleep 300', { background: true });
      expect(await sleep.kill()).toBe(true);
      await expect(sleep.wait()).rejects.toMatchObject({ exitCode: -1, error: 'signal: killed' });
      expect(await commands.kill(sleep.pid)).toBe(false);
    });

    test('a handle: closeStdin and disconnect', async () => {
      const { commands } = stage().sandbox;
      const cat = await commands.run('cat; echo ended', { background: true, stdin: true });
      await cat.closeStdin();
      expect((await cat.wait()).stdout).toBe('ended\n');
      const sleep = await commands.run('sleep 300', { background: true });
      await sleep.disconnect();
      expect((await commands.list()).map(({ pid }) => pid)).toContain(sleep.pid);
      expect(await commands.kill(sleep.pid)).toBe(true);
    });
  });

  describe('pty', () => {
    test('create, sendInput, resize, connect, kill', async () => {
      const { pty } = stage().sandbox;
      let output = '';
      const decoder = new TextDecoder();
      const terminal = await pty.create({
        cols: 80,
        rows: 24,
        onData: (data) => {
          output += decoder.decode(data, { stream: true });
        },
      });
      const type = (text: string) => pty.sendInput(terminal.pid, new TextEncoder().encode(text));
      await type('stty size; echo $TERM\n');
      await until('the size is shown', () => output.includes('24 80') && output.includes('xterm-256color\r'));
      await pty.resize(terminal.pid, { cols: 100, rows: 30 });
      let second = '';
      await pty.connect(terminal.pid, {
        onData: (data) => {
          second += new TextDecoder().decode(data);
        },
      });
      await type('stty size\n');
      await until('both see the new size', () => output.includes('30 100') && second.includes('30 100'));
      expect(await pty.kill(terminal.pid)).toBe(true);
      await expect(terminal.wait()).rejects.toThrow();
      expect(await pty.kill(terminal.pid)).toBe(false);
    });
  });
}
