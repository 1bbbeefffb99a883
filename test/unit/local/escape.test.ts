import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { hostProcesses, uniqueSleep } from './support/host-processes.js';
import { type Kind, kinds, launchIn, openMachines, openSource, shellIn, take } from './support/machines.js';
import { until } from './support/until.js';

// Each attempt goes with one that has to succeed, by the same means: else the attempt may fail for its own faults.

const host = mkdtempSync(join(tmpdir(), 'escape-'));
writeFileSync(join(host, 'secret'), 'secret', { mode: 0o644 });
afterAll(() => rmSync(host, { recursive: true }));

const enclosed = kinds.filter((kind) => kind !== 'none');
const cases = enclosed.flatMap((kind) => (['user', 'root'] as const).map((user) => ({ kind, user })));
/** Where `user` and `root` are two. */
const real: Kind = 'bubblewrap';

describe.each(cases)('$user in $kind', ({ kind, user }) => {
  const open = async (): Promise<(command: string) => Promise<string>> => {
    const machine = await take(await openSource(kind));
    return (command) => shellIn(machine, command, user);
  };

  test('cannot read the host’s files by any way to /', async () => {
    const sh = await open();
    const ways = [
      '',
      '/proc/1/root',
      '/proc/2/root',
      '/proc/self/root',
      '/proc/1/cwd',
      '../../../../../../..',
    ];
    await sh(`mkdir -p /tmp/${host}; echo inside > /tmp${host}/secret; ln -s ${host}/secret /tmp/link`);
    for (const way of ways) expect(await sh(`cat ${way}${host}/secret`)).not.toContain('secret\n');
    expect(await sh('cat /tmp/link')).toMatch(/No such file/);
    expect(await sh(`cat /proc/self/root/tmp${host}/secret`)).toBe('inside\n');
  });

  test('cannot write what the kernel has one of only', async () => {
    const sh = await open();
    const writable = (await sh('find /proc/sys /proc/[a-z]* -type f -writable 2>/dev/null')).split('\n');
    // What there is one of in each namespace of networks, processes or messages; and whom to tell of a lack of
    // something, which every reader may say for himself.
    const own =
      /^$|^\/proc\/(self|thread-self|net|pressure)\/|^\/proc\/sys\/(net\/|fs\/mqueue\/|kernel\/(ns_last_pid|pid_max|auto_msgmni|domainname|hostname|msg\w+|sem\w*|shm\w+)$)/;
    expect(writable.filter((path) => !own.test(path))).toEqual([]);
    expect(writable).toContain('/proc/sys/kernel/ns_last_pid');
  });

  test('has no devices but the harmless, and can make none', async () => {
    const sh = await open();
    const harmless = 'core fd full null ptmx pts random shm stderr stdin stdout tty urandom zero';
    expect((await sh('ls /dev')).split('\n').join(' ').trim()).toBe(harmless);
    expect(await sh('mknod /tmp/kmsg c 1 11; mknod /tmp/disk b 254 0')).toMatch(
      /^(mknod: .*permitted\n){2}$/,
    );
    expect(await sh('mknod /tmp/fifo p && echo made')).toBe('made\n');
  });

  test('cannot signal processes of the host', async () => {
    const sh = await open();
    expect(process.pid).toBeGreaterThan(1000);
    expect(await sh(`kill -0 ${process.pid}`)).toContain('No such process');
    expect(await sh('sleep 60 & kill -9 $!; wait $!; echo $?')).toContain('137\n');
  });

  test('gains nothing in a namespace of its own making', async () => {
    const sh = await open();
    const inside = (command: string): Promise<string> =>
      sh(`mkdir -p /tmp/at; unshare --user --map-root-user --mount sh -c '${command}' 2>&1`);
    const made = await inside('mount -t tmpfs none /tmp/at && touch /tmp/at/x && ls /tmp/at');
    // A kernel may not let it make one at all.
    expect(made).toMatch(/^x\n$|^unshare: /);
    expect(await inside('test -w /proc/sys/kernel/core_pattern && echo writable')).not.toContain('writable');
    expect(await inside('mount -o remount,rw,bind /usr; touch /usr/x && echo touched')).not.toContain(
      'touched',
    );
    for (const type of ['cgroup2', 'sysfs', 'proc']) {
      expect(
        await inside(`mount -t ${type} none /tmp/at && test -w /tmp/at/cgroup.procs && echo in`),
      ).not.toContain('in\n');
    }
    expect(await inside(`cat ${host}/secret`)).not.toContain('secret\n');
  });

  test('gets no rights from a file', async () => {
    const sh = await open();
    expect(await sh('grep NoNewPrivs /proc/self/status')).toBe('NoNewPrivs:\t1\n');
    expect(await sh('touch /usr/x /etc/x /run/e2b-edge/x')).toMatch(
      /^(touch: .*Read-only file system\n){3}$/,
    );
    // Root-only files of the host's userland are nobody's here.
    const shadow = await sh('cat /etc/shadow /etc/ssh/ssh_host_rsa_key; ls /root/.ssh');
    expect(shadow).toMatch(/^((cat|ls): .*(No such file or directory|Permission denied)\n){3}$/);
  });

  test('has no terminal of the server’s', async () => {
    const sh = await open();
    expect(await sh('echo x > /dev/tty')).toMatch(/No such device|cannot/);
    expect(await sh(`python3 -c 'import os, pty; pty.spawn(["sh", "-c", "tty < /dev/tty"])'`)).toContain(
      '/dev/',
    );
  });

  test('has no keys of the session that the server was started in, and no sockets past the network', async () => {
    const sh = await open();
    const calls = { x64: 'keyctl=250; add=248; request=249', arm64: 'keyctl=219; add=217; request=218' };
    const look = `import ctypes, os, socket
${calls[process.arch as keyof typeof calls]}
c = ctypes.CDLL(None, use_errno=True)
def said(result): return "done" if result >= 0 else os.strerror(ctypes.get_errno())
print(said(c.syscall(keyctl, 0, -3, 0)), said(c.syscall(request, b"user", b"none", None, 0)))
print(said(c.syscall(add, b"user", b"e2b-edge-test", b"x", 1, -2)), said(c.syscall(425, 1, None)))
print(said(c.socket(40, 1, 0)), said(c.socket(1, 1, 0)))`;
    const none = 'Function not implemented';
    expect(await sh(`python3 -c '${look}'`)).toBe(
      `${none} ${none}\n${none} ${none}\nAddress family not supported by protocol done\n`,
    );
    // On the host they are there: -2 is the calling process's own keyring.
    expect(execFileSync('python3', ['-c', look], { encoding: 'utf8' })).toMatch(
      /^done Required key not available\ndone /,
    );
  });

  test('cannot reach another sandbox', async () => {
    const source = await openSource(kind);
    const [one, other] = [await take(source), await take(source)];
    const server = `import socket as s, time; a=s.socket(s.AF_UNIX); a.bind("\\0here"); a.listen(); b=s.create_server(("127.0.0.1", 4000)); open("/dev/shm/here", "w").write("x"); open("/tmp/here", "w").write("x"); time.sleep(300)`;
    await launchIn(one, `ipcmk -M 4096; python3 -c '${server}'`, user);
    const look = `import socket as s, os
for family, address in ((s.AF_UNIX, "\\0here"), (s.AF_INET, ("127.0.0.1", 4000))):
  try: s.socket(family).connect(address); print("reached")
  except OSError: print("not there")
for path in ("/dev/shm/here", "/tmp/here"): print("reached" if os.path.exists(path) else "not there")
print("reached" if len(open("/proc/sysvipc/shm").readlines()) > 1 else "not there")`;
    const at = (machine: typeof one): Promise<string> => shellIn(machine, `python3 -c '${look}'`, user);
    await until('it serves', async () => (await at(one)) === 'reached\n'.repeat(5));
    expect(await at(other)).toBe('not there\n'.repeat(5));
  });

  test('can kill everything it sees, and nobody else notices', async () => {
    const source = await openSource(kind);
    const [one, other] = [await take(source), await take(source)];
    const mark = uniqueSleep();
    await launchIn(one, mark, user);
    await until('it runs', () => hostProcesses(mark).length > 0);
    await launchIn(one, 'kill -9 -1', user);
    await until('it is killed', () => hostProcesses(mark).length === 0);
    expect(await shellIn(other, 'echo well')).toBe('well\n');
    if (kind === real && user === 'user') expect(await shellIn(one, 'echo well')).toBe('well\n');
  });
});

describe('envd, which is root', () => {
  // Not by child.kill(), which takes a child that is stopped for one that has ended.
  const ptrace = (pid: string): string =>
    `import ctypes, os, subprocess, sys
c = ctypes.CDLL(None, use_errno=True)
child = subprocess.Popen(["sleep", "9"])
pid = ${pid}
print(c.ptrace(16, pid, 0, 0), ctypes.get_errno(), flush=True)
os.kill(child.pid, 9)`;

  test('cannot be traced, read or ended by user', async () => {
    const machine = await take(await openSource(real));
    expect(await shellIn(machine, `python3 -c '${ptrace('2')}'`)).toBe('-1 1\n');
    expect(await shellIn(machine, `python3 -c '${ptrace('child.pid')}'`)).toBe('0 0\n');
    for (const file of ['environ', 'mem', 'fd', 'cwd/', 'root/', 'maps', 'task/2/fd']) {
      expect(await shellIn(machine, `ls /proc/2/${file}* >/dev/null && head -c 1 /proc/2/${file}`)).toMatch(
        /Permission denied/,
      );
    }
    const refused = await shellIn(machine, 'kill -9 2; kill -STOP 2; kill -9 1');
    expect(refused.match(/Operation not permitted/g)).toHaveLength(3);
    expect(await shellIn(machine, 'sh -c "cat /proc/self/environ" | wc -c')).not.toBe('0\n');
  });

  test('gives its socket and its pipes to nobody', async () => {
    const machine = await take(await openSource(real));
    expect(await shellIn(machine, 'ls /run/envd')).toContain('Permission denied');
    expect(await shellIn(machine, 'ls /run/envd', 'root')).toContain('pipe-');
    for (const user of ['user', 'root']) {
      // The third is the directory that is being read.
      expect(await shellIn(machine, 'ls /proc/self/fd | tr "\\n" " "', user)).toBe('0 1 2 3 ');
    }
  });

  test('starts programs of user without any capability, as somebody whom the host does not know', async () => {
    const machine = await take(await openSource(real));
    const sleep = uniqueSleep();
    await launchIn(machine, sleep);
    await until('it runs', () => hostProcesses(sleep).length > 0);
    const status = readFileSync(`/proc/${hostProcesses(sleep)[0]}/status`, 'utf8');
    expect(status).toMatch(/^CapPrm:\t0+\nCapEff:\t0+$/m);
    expect(status).toMatch(/^CapAmb:\t0+$/m);
    expect(Number(/^Uid:\t(\d+)/m.exec(status)?.[1])).toBe(0x7740_0000 + 1000);
  });
});

test('root in a sandbox has of root’s powers only those over its users, files and ports', async () => {
  const machine = await take(await openSource(real));
  const status = await shellIn(machine, 'grep -E "^Cap(Prm|Bnd)" /proc/self/status', 'root');
  // CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID, NET_BIND_SERVICE
  const few = [0, 1, 3, 4, 5, 6, 7, 10].reduce((mask, bit) => mask | (1 << bit), 0).toString(16);
  expect(status).toBe(`CapPrm:\t${few.padStart(16, '0')}\nCapBnd:\t${few.padStart(16, '0')}\n`);
  expect(await shellIn(machine, 'mount -t tmpfs none /tmp', 'root')).toMatch(/permitted|denied|must be/);
  expect(await shellIn(machine, 'ip link add x type dummy', 'root')).toMatch(/permitted|not found/);
  const serve = 'import socket; socket.create_server(("127.0.0.1", 80)); print("serves")';
  expect(await shellIn(machine, `python3 -c '${serve}'`, 'root')).toBe('serves\n');
  expect(await shellIn(machine, `python3 -c '${serve}' 2>&1 | tail -1`)).toContain('Permission denied');
  expect(await shellIn(machine, 'touch /home/user/x && chown user /home/user/x && echo given', 'root')).toBe(
    'given\n',
  );
});

test('files that lead to the host are followed neither when they are copied nor when they are removed', async () => {
  const { source, workspace } = await openMachines(real);
  const machine = await take(source);
  const hostile = `rm -rf /var && ln -s ${host} /var && ln -s ${host} /home/user/link && mkfifo /opt/pipe &&
    python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("/opt/socket")' && echo made`;
  expect(await shellIn(machine, hostile.replaceAll('\n', ' '), 'root')).toBe('made\n');
  const files = await machine.saveFiles();
  const copy = await take(source, { files });
  expect(
    await shellIn(copy, 'readlink /var; test -p /opt/pipe && test -S /opt/socket && echo kept', 'root'),
  ).toBe(`${host}\nkept\n`);
  await machine.close();
  await copy.close();
  await source.close();
  expect(readdirSync(host)).toEqual(['secret']);
  expect(readdirSync(workspace.path).filter((name) => name.startsWith('sandbox-'))).toEqual([]);
});

test('a link in the place of a directory makes nothing on the host when the files are started again', async () => {
  const source = await openSource(real);
  const open = mkdtempSync(join(tmpdir(), 'open-'));
  onTestFinished(() => rmSync(open, { recursive: true }));
  chmodSync(open, 0o1777);
  const machine = await take(source);
  // The host's / has that name while bubblewrap mounts. What is mounted on cannot be replaced.
  const replace = `cd /; for name in dev etc opt proc run usr var; do mv $name $name.was && ln -s /oldroot${open} $name; done 2>/dev/null; readlink /opt`;
  expect(await shellIn(machine, replace, 'root')).toBe(`/oldroot${open}\n`);
  const copy = await take(source, { files: await machine.saveFiles() });
  expect(await shellIn(copy, 'readlink /opt', 'root')).toBe(`/oldroot${open}\n`);
  expect(readdirSync(open)).toEqual([]);
});
