import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadTemplates } from '../../../src/local/control/templates/load-templates.js';
import type { LocalServer } from '../../../src/local/local-server.js';
import { checkOptions } from '../../../src/local/options.js';
import { run, sh, unary } from './support/rpc.js';
import { api, type Created, createSandbox, startServer } from './support/server.js';

let server: LocalServer;
const directory = mkdtempSync(join(tmpdir(), 'templates-test-'));

afterAll(() => rmSync(directory, { recursive: true }));

beforeAll(async () => {
  mkdirSync(join(directory, 'project/src'), { recursive: true });
  writeFileSync(join(directory, 'project/src/main.py'), 'print("hello")\n', { mode: 0o755 });
  symlinkSync('/etc/hostname', join(directory, 'project/link'));
  makeImage(join(directory, 'image'));
  chmodSync(directory, 0o755);
  server = await startServer({
    templates: {
      project: {
        aliases: ['other-name', 'my-team/project'],
        files: join(directory, 'project'),
        workdir: '/srv/app',
        envs: { MODE: 'test', OVER: 'recipe' },
      },
      service: {
        startCmd: 'touch ~/started; exec sleep 1000',
        readyCmd: 'test -e ~/started && touch ~/ready',
      },
      'tagged:v2': { envs: { TAG: 'v2' } },
      tagged: { envs: { TAG: 'any' } },
      broken: { startCmd: 'echo what went wrong >&2; exit 3', readyCmd: 'false' },
      needy: { requires: ['sh', 'no-such-program', '/no/such/tool'] },
      rooted: { user: 'root', files: join(directory, 'project') },
      image: { image: join(directory, 'image') },
      'needy-image': { image: join(directory, 'image'), requires: ['bash', 'python3'] },
    },
  });
});

const programs = ['bash', 'cat', 'id', 'ls', 'mkfifo', 'sh', 'touch'];

/** A tree with a few programs and their libraries, without Node and what that needs. */
function makeImage(image: string): void {
  const copy = (file: string, to: string): void => {
    mkdirSync(join(image, dirname(to)), { recursive: true });
    copyFileSync(file, join(image, to));
  };
  for (const program of programs) {
    const file = realpathSync(join('/usr/bin', program));
    copy(file, join('/usr/bin', program));
    for (const [, library] of execFileSync('ldd', [file], { encoding: 'utf8' }).matchAll(/(\/\S+) \(0x/g)) {
      copy(library!, library!);
    }
  }
  mkdirSync(join(image, 'usr/share'), { recursive: true });
  writeFileSync(join(image, 'usr/share/mark'), 'image\n');
  symlinkSync('usr/bin', join(image, 'bin'));
  mkdirSync(join(image, 'etc'));
  writeFileSync(join(image, 'etc/os-release'), 'NAME=image\n');
}

async function shell(sandbox: Created, command: string): Promise<string> {
  return (await run(server, sandbox, sh(command))).stdout;
}

const create = (templateID: string): Promise<Response> =>
  api(server, 'POST', '/v2/sandboxes', { templateID });

describe('a template', () => {
  test('gives files of the host, a working directory and variables', async () => {
    const sandbox = await createSandbox(server, { templateID: 'project', envVars: { OVER: 'create' } });
    expect(sandbox).toMatchObject({ templateID: 'project', alias: 'other-name' });
    expect(await shell(sandbox, 'pwd; cat src/main.py; echo $MODE $OVER; echo $E2B_TEMPLATE_ID')).toBe(
      '/srv/app\nprint("hello")\ntest create\nproject\n',
    );
    expect(await shell(sandbox, 'readlink link; stat -c %U . src src/main.py; touch new && echo ok')).toBe(
      '/etc/hostname\nuser\nuser\nuser\nok\n',
    );
  });

  test.each([
    'other-name',
    'OTHER-NAME',
    'my-team/project',
    'any-team/project',
    'project:v7',
    'project:default',
  ])('is found as %s', async (name) => {
    expect(await createSandbox(server, { templateID: name })).toMatchObject({ templateID: 'project' });
    const alias = await api(server, 'GET', `/templates/aliases/${encodeURIComponent(name)}`);
    expect(await alias.json()).toEqual({ templateID: 'project', public: false });
  });

  test('of exactly that tag goes before one of another', async () => {
    const tag = async (name: string): Promise<string> =>
      shell(await createSandbox(server, { templateID: name }), 'echo $TAG');
    expect(await tag('tagged:v2')).toBe('v2\n');
    expect(await tag('tagged:v1')).toBe('any\n');
    expect(await tag('tagged')).toBe('any\n');
  });

  test('starts its service, and is there once that is ready', async () => {
    const sandbox = await createSandbox(server, { templateID: 'service' });
    expect(await shell(sandbox, 'ls ~/ready ~/started')).toBe('/home/user/ready\n/home/user/started\n');
    const { body } = await unary(server, sandbox, 'process.Process/List', {});
    expect(JSON.stringify(body)).toContain('sleep 1000');
  });

  test('starts it again after a pause without memory, and in snapshots', async () => {
    const sandbox = await createSandbox(server, { templateID: 'service' });
    const path = `/sandboxes/${sandbox.sandboxID}`;
    const made = await (await api(server, 'POST', `${path}/snapshots`, {})).json();
    await api(server, 'POST', `${path}/pause`, { memory: false });
    await api(server, 'POST', `${path}/connect`, { timeout: 60 });
    const templateID = (made as { snapshotID: string }).snapshotID;
    for (const one of [sandbox, await createSandbox(server, { templateID })]) {
      const { body } = await unary(server, one, 'process.Process/List', {});
      expect(JSON.stringify(body)).toContain('sleep 1000');
    }
  });

  test('that does not start is an error with what it printed, and nothing is left of it', async () => {
    const response = await create('broken');
    expect(response.status).toBe(500);
    const { code, message } = (await response.json()) as { code: number; message: string };
    expect(code).toBe(500);
    expect(message).toContain('what went wrong');
    const listed = (await (await api(server, 'GET', '/v2/sandboxes?template=broken')).json()) as unknown[];
    expect(listed).toEqual([]);
  });

  test('may take the place of base', async () => {
    for (const recipes of [
      { base: { envs: { A: '1' } } },
      { other: { aliases: ['base'], envs: { A: '1' } } },
    ]) {
      const own = await startServer({ isolation: 'none', templates: recipes });
      const sandbox = await createSandbox(own);
      expect((await run(own, sandbox, sh('echo $A'))).stdout).toBe('1\n');
    }
  });

  test('that needs what this machine lacks says so', async () => {
    const response = await create('needy');
    expect(response.status).toBe(400);
    const { message } = (await response.json()) as { message: string };
    expect(message).toContain('needs no-such-program, /no/such/tool');
  });

  test('shows the programs of its image, and no others', async () => {
    const sandbox = await createSandbox(server, { templateID: 'image' });
    const output = await shell(
      sandbox,
      'cat /usr/share/mark; ls /usr/bin; cat /etc/os-release; id -un; touch /usr/x',
    );
    expect(output).toBe(`image\n${[...programs].sort().join('\n')}\nNAME=image\nuser\n`);
    expect(await shell(sandbox, 'echo hi > ~/file; cat ~/file')).toBe('hi\n');
    const missing = await create('needy-image');
    expect(missing.status).toBe(400);
    expect(await missing.json()).toMatchObject({ message: expect.stringContaining('needs python3') });
  });

  test('cannot have an image where nothing is isolated', async () => {
    const plain = await startServer({ isolation: 'none', templates: { image: { image: directory } } });
    const response = await api(plain, 'POST', '/v2/sandboxes', { templateID: 'image' });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ message: expect.stringContaining('bubblewrap') });
  });

  test('can have another default user', async () => {
    const sandbox = await createSandbox(server, { templateID: 'rooted' });
    expect(await shell(sandbox, 'echo ~; pwd; ls src')).toBe('/root\n/root\nmain.py\n');
  });

  test('that is not there is 404, with those that are and where to make one', async () => {
    const response = await create('nothing');
    expect(response.status).toBe(404);
    const { code, message } = (await response.json()) as { code: number; message: string };
    expect(code).toBe(404);
    for (const part of ["'nothing' not found", "'base'", "'project'", '--config'])
      expect(message).toContain(part);
    expect((await api(server, 'GET', '/templates/aliases/nothing')).status).toBe(404);
  });

  test('is listed with all that clients need', async () => {
    for (const path of ['/templates', '/v2/templates']) {
      const listed = (await (await api(server, 'GET', path)).json()) as Record<string, unknown>[];
      expect(listed.map(({ templateID }) => templateID)).toContain('base');
      const project = listed.find(({ templateID }) => templateID === 'project');
      expect(project).toMatchObject({
        buildStatus: 'ready',
        names: ['project', 'other-name', 'my-team/project'],
      });
      expect(project?.spawnCount).toBeGreaterThan(0);
    }
    expect((await api(server, 'POST', '/v3/templates', { name: 'x' })).status).toBe(501);
  });
});

describe('a configuration file', () => {
  const write = (content: unknown): string => {
    const path = join(directory, 'e2b-edge.json');
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
    return path;
  };

  test('has paths that are relative to it', async () => {
    const templates = await loadTemplates(
      write({ templates: { a: { files: 'project', envs: { A: '1' } } } }),
    );
    expect(templates).toEqual({ a: { files: join(directory, 'project'), envs: { A: '1' } } });
    expect(await loadTemplates(write({}))).toEqual({});
  });

  test('that is wrong is told where, every mistake of it', async () => {
    const path = write({
      templates: {
        'a b': {},
        none: 7,
        bad: {
          files: 'missing',
          image: 'e2b-edge.json',
          envs: { 'X=': '1' },
          requires: 'git',
          x: 1,
          cpuCount: 0,
        },
      },
    });
    const error = (await loadTemplates(path).catch((error) => error)) as { code: string; message: string };
    expect(error.code).toBe('invalid_templates');
    const lines = error.message.split('\n');
    for (const [at, what] of [
      ['templates.a b', 'the name'],
      ['templates.none', 'must be an object'],
      ['templates.bad.files', 'does not exist'],
      ['templates.bad.image', 'not a directory'],
      ['templates.bad.envs', "'X='"],
      ['templates.bad.requires', 'list'],
      ['templates.bad.x', 'unknown'],
      ['templates.bad.cpuCount', 'at least 1'],
    ] as const) {
      expect(lines.filter((line) => line.startsWith(`${path}: ${at}`) && line.includes(what))).toHaveLength(
        1,
      );
    }
    expect(lines).toHaveLength(8);
  });

  test.each([
    ['{', 'invalid_config'],
    ['[]', 'invalid_config'],
    [{ template: {} }, 'invalid_config'],
    [{ templates: [] }, 'invalid_templates'],
    [{ templates: { a: {}, b: { aliases: ['A'] } } }, 'invalid_templates'],
  ])('such as %j is refused', async (content, code) => {
    await expect(loadTemplates(write(content))).rejects.toMatchObject({ code });
  });

  test('that is not there is refused', async () => {
    await expect(loadTemplates(join(directory, 'nothing.json'))).rejects.toMatchObject({
      code: 'invalid_config',
    });
  });

  test('has the checks of the options', () => {
    expect(() => checkOptions({ templates: { a: { user: 'a b' } } })).toThrow('templates.a.user');
  });
});
