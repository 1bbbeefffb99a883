import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { MachineFiles } from '../../../src/local/machine/machine-files.js';
import type { Workspace } from '../../../src/local/machine/workspace.js';
import { type Kind, kinds, launchIn, openMachines, openSource, shellIn, take } from './support/machines.js';
import { until } from './support/until.js';

/** Where files are layers, when the host can mount them. */
const layered: Kind = 'bubblewrap';

const directories = ({ path }: Workspace): string[] =>
  readdirSync(path).filter((name) => name.startsWith('sandbox-'));

describe.each(kinds)('isolation: %s', (kind) => {
  test('saved files have everything that files have', async () => {
    const source = await openSource(kind);
    const machine = await take(source);
    const make = `mkdir d && echo content > d/f && chmod 640 d/f && touch -d 2001-02-03T04:05:06Z d/f && ln d/f hard &&
      ln -s d/f soft && python3 -c 'import os; os.setxattr("d/f", "user.note", b"kept")' && truncate -s 1G sparse && mkfifo pipe && mkdir -m 1777 open &&
      python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket")' && mkdir -m 000 closed`;
    expect(await shellIn(machine, make)).toBe('');
    const copy = await take(source, { files: await machine.saveFiles() });
    const seen = `cat d/f; stat -c "%n %A %U %Y %h" d/f hard pipe open socket closed; readlink soft; python3 -c 'import os; print(os.getxattr("d/f", "user.note").decode())'; stat -c "%s %b" sparse; test -w d && id -un`;
    const said = await shellIn(copy, seen);
    expect(said).toBe(await shellIn(machine, seen));
    expect(said).toContain('d/f -rw-r-----');
    expect(said).toContain('981173106 2\n');
    expect(said).toContain('kept\n1073741824 0\n');
    if (kind === layered) {
      expect(await shellIn(copy, 'stat -c %u /home/user /root / /tmp', 'root')).toBe('1000\n0\n0\n0\n');
    }
  });

  test('copies go their own ways, and nothing of them stays', async () => {
    const { source, workspace } = await openMachines(kind);
    const machine = await take(source);
    await shellIn(machine, 'echo first > f; mkdir -p d/deep; echo x > d/deep/g');
    const saved = await machine.saveFiles();
    const [one, other] = [
      await take(source, { files: await saved.copy() }),
      await take(source, { files: saved }),
    ];
    await shellIn(one, 'echo one > f; rm -r d; mkdir d');
    expect(await shellIn(other, 'cat f; ls d')).toBe('first\ndeep\n');
    const again = await one.saveFiles();
    await one.close();
    await machine.close();
    const third = await take(source, { files: again });
    expect(await shellIn(third, 'cat f; ls -A d; echo third > d/new; ls d')).toBe('one\nnew\n');
    await third.close();
    expect(await shellIn(other, 'cat f d/deep/g')).toBe('first\nx\n');
    await other.close();
    await source.close();
    expect(directories(workspace)).toEqual([]);
  });

  test('a tree deeper than any path cannot be copied, but is removed', async () => {
    const { source, workspace } = await openMachines(kind);
    const machine = await take(source);
    const dig = `import os
for i in range(40): os.mkdir("d" * 200); os.chdir("d" * 200)
os.chmod(".", 0)
print("deep")`;
    expect(await shellIn(machine, `python3 -c '${dig}'`)).toBe('deep\n');
    const before = directories(workspace);
    await expect(machine.saveFiles()).rejects.toThrow(/^files cannot be copied: cp: .{1,500}$/);
    expect(directories(workspace)).toEqual(before);
    await machine.close();
    await source.close();
    expect(directories(workspace)).toEqual([]);
  });

  test('files of a machine that was stopped start another', async () => {
    const { source, workspace } = await openMachines(kind);
    let machine = await take(source);
    await shellIn(machine, 'echo kept > f');
    for (let round = 0; round < 3; round++) {
      machine = await take(source, { files: await machine.stop() });
      expect(await shellIn(machine, 'cat f')).toBe('kept\n');
    }
    await machine.close();
    await source.close();
    expect(directories(workspace)).toEqual([]);
  });

  test('a host’s directory is copied, for user, and links in it stay links', async () => {
    const from = mkdtempSync(join(tmpdir(), 'from-'));
    onTestFinished(() => rmSync(from, { recursive: true }));
    mkdirSync(join(from, 'src'), { mode: 0o700 });
    writeFileSync(join(from, 'src/main.py'), 'print("hi")', { mode: 0o600 });
    symlinkSync('/etc/shadow', join(from, 'link'));
    const source = await openSource(kind);
    const prepared = await source.makeFiles({ from, to: 'home/user/app' });
    for (const files of [await prepared.copy(), prepared]) {
      const machine = await take(source, { files });
      expect(
        await shellIn(machine, 'cd app; python3 src/main.py; touch src/new; readlink link; ls ~/.bashrc'),
      ).toMatch(/^hi\n\/etc\/shadow\n\/.*\.bashrc\n$/);
    }
    const empty = await take(source, { files: await source.makeFiles({ to: 'srv/app' }) });
    if (kind !== 'none')
      expect(await shellIn(empty, 'touch /srv/app/x && stat -c %U /srv/app')).toBe('user\n');
    await expect(source.makeFiles({ to: '../out' })).rejects.toThrow('leads out of the sandbox');
  });
});

test('a long line of copies of copies is still a tree that can be mounted', async () => {
  const { source, workspace } = await openMachines(layered);
  let machine = await take(source);
  for (let i = 0; i < 20; i++) {
    await shellIn(machine, `echo ${i} > f${i}; rm -f f${i - 2}`);
    const files = await machine.stop();
    const copy = await files.copy();
    await files.remove();
    machine = await take(source, { files: copy });
  }
  expect(await shellIn(machine, 'echo f*')).toBe('f18 f19\n');
  const running = await take(source, { files: await machine.saveFiles() });
  expect(await shellIn(running, 'cat f18 f19')).toBe('18\n19\n');
  expect(directories(workspace).length).toBeLessThan(60);
});

test('freezing, saving and ending wait for one another', async () => {
  const source = await openSource(layered);
  const machine = await take(source);
  const files: MachineFiles[] = [];
  const save = async (): Promise<void> => void files.push(await machine.saveFiles());
  await Promise.all([
    save(),
    machine.freeze(),
    save(),
    machine.thaw(),
    save(),
    machine.freeze(),
    machine.thaw(),
  ]);
  expect(await shellIn(machine, 'echo well')).toBe('well\n');
  const [saved, ended] = [save(), machine.close()];
  await expect(machine.freeze()).rejects.toThrow('the sandbox has ended');
  await expect(saved).resolves.toBeUndefined();
  await ended;
  expect(files).toHaveLength(4);
  for (const it of files) await Promise.all([it.remove(), it.remove()]);
});

test('saving does not disturb who writes', async () => {
  const source = await openSource(layered);
  const machine = await take(source);
  await launchIn(machine, 'i=0; while :; do i=$((i+1)); echo $i > count; done');
  await until('it counts', async () => (await shellIn(machine, 'cat count')) !== '');
  const saved = await Promise.all([machine.saveFiles(), machine.saveFiles()]);
  const before = await shellIn(machine, 'cat count');
  await until('it goes on', async () => (await shellIn(machine, 'cat count')) !== before);
  for (const files of saved) await files.remove();
});
