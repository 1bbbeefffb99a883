import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { LocalServer } from '../../../src/local/local-server.js';
import { startEnvd } from './support/envd.js';
import { type RpcStream, run, sh, stream, unary } from './support/rpc.js';
import { type Created, createSandbox, startServer } from './support/server.js';
import { until } from './support/until.js';
import { short, type Told, type Watch, watchDir } from './support/watching.js';

let server: LocalServer;
let sandbox: Created;
const open: RpcStream[] = [];

beforeAll(async () => {
  server = await startServer();
  sandbox = await createSandbox(server);
});

afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

const call = (method: string, body: unknown) =>
  unary(server, sandbox, `filesystem.Filesystem/${method}`, body);
const shell = async (command: string): Promise<void> => {
  const { end, stderr } = await run(server, sandbox, sh(command));
  if (end.status !== 'exit status 0') throw new Error(`${command}: ${stderr}`);
};

async function watching(before: string, options: Record<string, boolean> = {}): Promise<Watch> {
  await shell(`rm -rf w out; mkdir -p w out; cd w; ${before}`);
  const watch = await watchDir(server, sandbox, { path: 'w', ...options });
  open.push(watch.stream);
  return watch;
}

describe('WatchDir tells', () => {
  test.each([
    ['a new file', 'true', 'echo x > a', ['CREATE a', 'WRITE a']],
    ['an empty new file', 'true', 'touch a', ['CREATE a', 'CHMOD a']],
    ['writing', 'echo 1 > a', 'echo 22 >> a', ['WRITE a']],
    ['writing as much as there was', 'echo 1 > a', 'echo 2 > a', ['WRITE a']],
    ['a change of rights', 'echo 1 > a', 'chmod 600 a', ['CHMOD a']],
    ['removal', 'echo 1 > a', 'rm a', ['REMOVE a']],
    ['a rename', 'echo 1 > a', 'mv a b', ['RENAME a', 'CREATE b']],
    ['a rename over another file', 'echo 1 > a; echo 2 > b', 'mv a b', ['RENAME a', 'CREATE b']],
    ['what is moved away', 'echo 1 > a', 'mv a ../out', ['RENAME a']],
    ['what is moved in', 'echo 1 > ../out/a', 'mv ../out/a a', ['CREATE a']],
    ['a removed directory', 'mkdir d', 'rmdir d', ['REMOVE d']],
    ['a moved directory', 'mkdir d', 'mv d ../out', ['RENAME d']],
    ['a change of a directory’s rights', 'mkdir d', 'chmod 700 d', ['CHMOD d']],
    ['a symlink', 'true', 'ln -s nowhere l', ['CREATE l']],
    ['a FIFO', 'true', 'mkfifo p', ['CREATE p']],
    ['nothing of a directory below', 'mkdir d', 'echo 1 > d/f; rm d/f', []],
    ['an entry of the directory’s own name', 'true', 'mkdir w; sleep 0.1; rmdir w', ['CREATE w', 'REMOVE w']],
    ['a change of its own rights', 'true', 'chmod 700 .', ['CHMOD .']],
  ])('%s', async (_what, before, command, events) => {
    const watch = await watching(before);
    await shell(`cd w; ${command}`);
    // Writing twice or slowly is told twice.
    const happened = (await watch.happened()).filter((event, at, all) => event !== all[at - 1]);
    expect(happened).toEqual(events);
  });

  test('its own removal, and goes on without a word', async () => {
    await shell('rm -rf gone; mkdir gone');
    const events = await stream(server, sandbox, 'filesystem.Filesystem/WatchDir', { path: 'gone' });
    open.push(events);
    expect(await events.next()).toMatchObject({ start: {} });
    await shell('rmdir gone');
    expect((await events.next()).filesystem).toEqual({ name: '.', type: 'EVENT_TYPE_REMOVE' });
  });

  test('that it was moved itself, and nothing of what happens there', async () => {
    await shell('rm -rf from to; mkdir from');
    const events = await stream(
      server,
      sandbox,
      'filesystem.Filesystem/WatchDir',
      { path: 'from' },
      { headers: { 'keepalive-ping-interval': '1' } },
    );
    open.push(events);
    await events.next();
    await shell('mv from to');
    expect((await events.next()).filesystem).toEqual({ name: '.', type: 'EVENT_TYPE_RENAME' });
    await shell('touch to/f');
    expect(await events.next()).toEqual({ keepalive: {} });
  });

  test('entries where they were asked for, of what is still there', async () => {
    const watch = await watching('echo 1 > a', { includeEntry: true });
    await shell('cd w; echo 12345 > b; sleep 0.1; chmod 640 b; sleep 0.1; mv a c; rm b');
    const told = await watch.told();
    const chmod = told.find(({ type }) => type === 'EVENT_TYPE_CHMOD');
    expect(chmod?.entry).toMatchObject({ name: 'b', path: '/home/user/w/b', size: '6', mode: 0o640 });
    for (const { type, entry } of told) {
      if (type === 'EVENT_TYPE_REMOVE' || type === 'EVENT_TYPE_RENAME') expect(entry).toBeUndefined();
    }
  });
});

describe('a recursive watch', () => {
  test('tells of everything below, by its path', async () => {
    const watch = await watching('mkdir -p d/e; echo 1 > d/e/f', { recursive: true });
    await shell('cd w; echo 22 > d/e/f; sleep 0.1; mkdir d/n; sleep 0.1; echo 3 > d/n/g; sleep 0.1; rm -r d');
    const happened = new Set(await watch.happened());
    for (const event of [
      'WRITE d/e/f',
      'CREATE d/n',
      'CREATE d/n/g',
      'REMOVE d/e/f',
      'REMOVE d/e',
      'REMOVE d/n/g',
      'REMOVE d',
    ]) {
      expect(happened).toContain(event);
    }
    expect([...happened].filter((event) => !/^(WRITE|CREATE|REMOVE|CHMOD) d/.test(event))).toEqual([]);
  });

  test('follows a directory that is renamed, and forgets one that is moved away', async () => {
    const watch = await watching('mkdir a; echo 1 > a/f', { recursive: true });
    await shell('cd w; mv a b');
    expect(await watch.happened()).toEqual(['RENAME a', 'CREATE b']);
    await shell('cd w; rm b/f');
    expect(await watch.happened()).toEqual(['REMOVE b/f']);
    await shell('cd w; mv b ../out/b');
    expect(await watch.happened()).toEqual(['RENAME b']);
    await shell('touch out/b/x');
    expect(await watch.happened()).toEqual([]);
  });

  test('tells what a directory brings along', async () => {
    const watch = await watching('mkdir -p ../out/d/e; echo 1 > ../out/d/e/f', { recursive: true });
    await shell('mv out/d w/d');
    expect(await watch.happened()).toEqual(['CREATE d', 'CREATE d/e', 'CREATE d/e/f']);
  });

  test('misses nothing of thousands of files that are made at once', async () => {
    const watch = await watching('true', { recursive: true });
    await shell(
      'cd w; for i in $(seq 40); do mkdir -p t/$i/x; (cd t/$i/x; touch $(seq 50)); done; mkdir last; sleep 0.2',
    );
    const created = new Set((await watch.happened()).filter((event) => event.startsWith('CREATE')));
    expect(created.size).toBe(1 + 40 + 40 + 40 * 50 + 1);
  });
});

describe('a watcher that is asked', () => {
  const create = async (request: Record<string, unknown>): Promise<string> =>
    (await call('CreateWatcher', request)).body.watcherId;
  const events = async (watcherId: string): Promise<Told[]> =>
    (await call('GetWatcherEvents', { watcherId })).body.events ?? [];

  test('keeps what happened until then, and gives it once', async () => {
    await shell('rm -rf p; mkdir p');
    const id = await create({ path: 'p', includeEntry: true });
    expect(id).toMatch(/^w[a-z0-9]{20}$/);
    await shell('cd p; echo 1 > a; sleep 0.1; mv a b; touch mark');
    const all: Told[] = [];
    await until('mark is told', async () => {
      all.push(...(await events(id)));
      return all.some(({ name }) => name === 'mark');
    });
    expect(all.map(short)).toEqual(expect.arrayContaining(['CREATE a', 'RENAME a', 'CREATE b']));
    await shell('true');
    expect((await events(id)).filter(({ name }) => name !== 'mark')).toEqual([]);
    expect(await call('RemoveWatcher', { watcherId: id })).toMatchObject({ status: 200, body: {} });
    for (const method of ['GetWatcherEvents', 'RemoveWatcher']) {
      const { status, body } = await call(method, { watcherId: id });
      expect([status, body]).toEqual([
        404,
        { code: 'not_found', message: `watcher with id ${id} not found` },
      ]);
    }
  });

  test('has its number limited', async () => {
    await shell('mkdir -p p');
    const ids: string[] = [];
    let refused: { status: number; body: { message: string } } | undefined;
    while (!refused && ids.length < 1000) {
      const answer = await call('CreateWatcher', { path: 'p' });
      if (answer.status === 200) ids.push(answer.body.watcherId);
      else refused = answer;
    }
    expect(ids.length).toBe(128);
    expect(refused).toMatchObject({ status: 500, body: { message: expect.stringContaining('128') } });
    for (const id of ids) await call('RemoveWatcher', { watcherId: id });
  });
});

describe('watching', () => {
  test.each([
    ['what is missing', 'none', 404, 'not_found'],
    ['a file', '/etc/passwd', 400, 'invalid_argument'],
    ['below a file', '/etc/passwd/x', 500, 'internal'],
    ['another’s home', '~bob', 400, 'invalid_argument'],
  ])('%s is an error', async (_what, path, status, code) => {
    expect(await call('CreateWatcher', { path })).toMatchObject({ status, body: { code } });
    const events = await stream(server, sandbox, 'filesystem.Filesystem/WatchDir', { path });
    expect(await events.next()).toBeUndefined();
    expect(events.end.error.code).toBe(code);
  });

  test('stays alive in silence, and ends in time', async () => {
    const events = await stream(
      server,
      sandbox,
      'filesystem.Filesystem/WatchDir',
      { path: '/tmp' },
      { headers: { 'keepalive-ping-interval': '-1', 'connect-timeout-ms': '2500' } },
    );
    const messages = await events.rest();
    expect(messages.slice(0, 2)).toEqual([{ start: {} }, { keepalive: {} }]);
    expect(events.end.error.code).toBe('deadline_exceeded');
  });

  test('leaves nothing behind when the client goes', async () => {
    const watches = async (): Promise<number> => {
      const { stdout } = await run(
        server,
        sandbox,
        sh('for f in /proc/[0-9]*/fdinfo/*; do cat $f 2>/dev/null; done | grep -c "^inotify" || true'),
      );
      return Number(stdout);
    };
    const before = await watches();
    const watch = await watching('mkdir -p a/b a/c', { recursive: true });
    const during = await watches();
    watch.stream.close();
    await until('the watches are gone', async () => (await watches()) === before);
    if (during !== before) expect(during).toBe(before + 4);
  });
});

test('without isolation, too, names are those of the sandbox', async () => {
  const envd = await startEnvd();
  try {
    const ask = async (method: string, body: unknown) =>
      JSON.parse((await envd.request('POST', `/filesystem.Filesystem/${method}`, body)).text);
    const { watcherId } = await ask('CreateWatcher', { path: '/home', recursive: true, includeEntry: true });
    writeFileSync(join(envd.root, 'home/user/f'), 'content');
    const told: Told[] = [];
    await until('the file is told', async () => {
      told.push(...((await ask('GetWatcherEvents', { watcherId })).events ?? []));
      return told.some(({ type }) => type === 'EVENT_TYPE_CREATE');
    });
    expect(told[0]).toMatchObject({ name: 'user/f', entry: { path: '/home/user/f' } });
  } finally {
    await envd.close();
  }
});
