import { equal, ok, rejects, until } from './assert.js';
import type { Suite } from './case.js';

export const commandsHandle: Suite = {
  name: 'commands in the background',
  cases: [
    {
      name: 'are a live handle: events, then the result',
      async run({ sandbox }) {
        const { commands } = await sandbox();
        const command = await commands.run('echo out; echo err >&2; exit 3', { background: true });
        ok(command.pid > 0, `pid is ${command.pid}`);
        const seen: Record<string, string> = { stdout: '', stderr: '' };
        let exitCode: number | undefined;
        for await (const event of command) {
          if (event.type === 'exit') exitCode = event.exitCode;
          else if (event.type !== 'gap') seen[event.type] += event.data;
        }
        equal(seen, { stdout: 'out\n', stderr: 'err\n' }, 'what was printed');
        equal(exitCode, 3, 'the exit code of the last event');
        equal(command.exitCode, 3, 'the exit code of the handle');
      },
    },
    {
      name: 'give bytes as they are',
      async run({ sandbox }) {
        const { commands } = await sandbox();
        const command = await commands.run("printf 'a\\xff\\x00\\xe7b'", { background: true });
        const bytes: number[] = [];
        for await (const event of command) if (event.type === 'stdout') bytes.push(...event.bytes);
        equal(bytes, [0x61, 0xff, 0x00, 0xe7, 0x62], 'the bytes');
      },
    },
    {
      name: 'give text whole where a character is cut between two pieces',
      async run({ sandbox }) {
        const { commands } = await sandbox();
        const heard: string[] = [];
        const command = await commands.run(
          "printf '\\xf0\\x9f'; sleep 0.2; printf '\\xa6\\x80 \\xe7\\xb5'; sleep 0.2; printf '\\x82 \\xe7'",
          { background: true, onStdout: (text) => void heard.push(text) },
        );
        const seen: string[] = [];
        for await (const event of command) if (event.type === 'stdout') seen.push(event.data);
        equal(seen.join(''), '🦀 終 \ufffd', 'the text of the events');
        equal(heard.join(''), '🦀 終 \ufffd', 'the text of the callbacks');
      },
    },
    {
      name: 'are waited for',
      async run({ sandbox, errors }) {
        const { commands } = await sandbox();
        const good = await commands.run('echo fine', { background: true });
        equal((await good.wait()).stdout, 'fine\n', 'stdout');
        const bad = await commands.run('echo bad; exit 4', { background: true });
        const error = await rejects(bad.wait(), errors.CommandExitError, 'command_exit');
        equal(error.exitCode, 4, 'exitCode');
        equal(error.stdout, 'bad\n', 'stdout');
      },
    },
    {
      name: 'stop being listened to when the loop is left, and live on',
      async run({ sandbox, env, observer }) {
        const { commands, sandboxId } = await sandbox(env.observed);
        const command = await commands.run('while true; do echo tick; sleep 0.05; done', {
          background: true,
        });
        const path = '/process.Process/Start';
        for await (const event of command) {
          if (event.type !== 'stdout') continue;
          equal(await observer.open(sandboxId, path), 1, 'requests while it is listened to');
          break;
        }
        await until(
          async () => (await observer.open(sandboxId, path)) === 0,
          'the request is gone on the server',
        );
        const pids = (await commands.list()).map(({ pid }) => pid);
        ok(pids.includes(command.pid), 'the process is still listed');
        equal(await commands.kill(command.pid), true, 'kill');
      },
    },
    {
      name: 'stop being listened to by disconnect, before anything was read',
      async run({ sandbox, env, observer }) {
        const { commands, sandboxId } = await sandbox(env.observed);
        const command = await commands.run('sleep 30', { background: true });
        const path = '/process.Process/Start';
        equal(await observer.open(sandboxId, path), 1, 'requests before');
        await command.disconnect();
        await until(
          async () => (await observer.open(sandboxId, path)) === 0,
          'the request is gone on the server',
        );
        equal(await commands.kill(command.pid), true, 'it was still running');
      },
    },
    {
      name: 'take input until it is closed',
      async run({ sandbox }) {
        const { commands } = await sandbox();
        const command = await commands.run('cat', { background: true, stdin: true });
        await command.sendStdin('one\n');
        await command.sendStdin(new Uint8Array([0x74, 0x77, 0x6f, 0x0a]));
        await commands.sendStdin(command.pid, 'three\n');
        await command.closeStdin();
        equal((await command.wait()).stdout, 'one\ntwo\nthree\n', 'what came back');
      },
    },
    {
      name: 'keep the order of a hundred inputs that are not waited for',
      async run({ sandbox }) {
        const { commands } = await sandbox();
        const command = await commands.run('cat', { background: true, stdin: true });
        const lines = Array.from({ length: 100 }, (_, index) => `line ${index}\n`);
        await Promise.all(lines.map((line) => command.sendStdin(line)));
        await command.closeStdin();
        equal((await command.wait()).stdout, lines.join(''), 'what came back');
      },
    },
    {
      name: 'are listed, and killed',
      async run({ sandbox, errors }) {
        const { commands } = await sandbox();
        const command = await commands.run('sleep 7002', {
          background: true,
          envs: { MARK: 'x' },
          cwd: '/tmp',
        });
        const info = (await commands.list()).find(({ pid }) => pid === command.pid);
        ok(info, 'it is in the list');
        ok(
          [info.cmd, ...info.args].join(' ').includes('sleep 7002'),
          `cmd is ${info.cmd} ${info.args.join(' ')}`,
        );
        equal(info.envs.MARK, 'x', 'envs');
        equal(info.cwd, '/tmp', 'cwd');
        equal(await command.kill(), true, 'the first kill');
        const error = await rejects(command.wait(), errors.CommandExitError);
        equal(error.exitCode, -1, 'exitCode');
        equal(error.error, 'signal: killed', 'error');
        equal(await commands.kill(command.pid), false, 'the second kill');
        equal((await commands.list()).length, 0, 'commands left');
      },
    },
    {
      name: 'are connected to again by pid',
      async run({ sandbox }) {
        const { commands } = await sandbox();
        const command = await commands.run('read line; echo "got $line"', { background: true, stdin: true });
        await command.disconnect();
        const again = await commands.connect(command.pid);
        equal(again.pid, command.pid, 'pid');
        await again.sendStdin('it\n');
        equal((await again.wait()).stdout, 'got it\n', 'what it printed since');
      },
    },
    {
      name: 'say that a process is not there',
      async run({ sandbox, errors }) {
        const { commands } = await sandbox();
        const pid = 999_999;
        await rejects(commands.connect(pid), errors.NotFoundError, 'process_not_found');
        await rejects(commands.sendStdin(pid, 'x'), errors.NotFoundError, 'process_not_found');
        await rejects(commands.closeStdin(pid), errors.NotFoundError, 'process_not_found');
        equal(await commands.kill(pid), false, 'kill');
      },
    },
    {
      name: 'hold back a program whose output is not taken',
      async run({ sandbox }) {
        const { commands, files } = await sandbox();
        const command = await commands.run(
          'for i in $(seq 400); do head -c 1000000 /dev/zero; echo $i > count; done; sleep 60',
          { background: true },
        );
        const count = async (): Promise<number> => Number(await files.read('count').catch(() => '0'));
        for await (const event of command) {
          if (event.type !== 'stdout') continue;
          let before = -1;
          await until(async () => {
            const now = await count();
            const still = now === before;
            before = now;
            await new Promise((resolve) => setTimeout(resolve, 300));
            return still;
          }, 'the program stands still');
          ok(before < 400, `it wrote ${before} of 400 megabytes with nobody reading`);
          break;
        }
        await command.kill();
      },
    },
  ],
};
