import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Envd, startEnvd } from './support/envd.js';
import { until } from './support/until.js';

let envd: Envd;

beforeAll(async () => {
  envd = await startEnvd();
});
afterAll(() => envd.close());

const start = (body: unknown) => envd.request('POST', '/start', body);
const init = (body: unknown) => envd.request('POST', '/init', body);
const rpc = async (method: string, body: unknown) =>
  JSON.parse((await envd.request('POST', `/process.Process/${method}`, body)).text);

describe('start', () => {
  test('answers once the ready command succeeds, and leaves the start command running', async () => {
    const startCmd = 'sleep 0.5; touch ~/up; echo noise; exec sleep 300';
    expect(await start({ startCmd, readyCmd: 'test -e ~/up', timeoutSeconds: 30 })).toEqual({
      status: 204,
      text: '',
    });
    const { processes } = await rpc('List', {});
    expect(processes).toHaveLength(1);
    expect(processes[0].config.args).toEqual(['-l', '-c', startCmd]);
    expect(processes[0].tag).toBeUndefined();
    await rpc('SendSignal', { process: { pid: processes[0].pid }, signal: 9 });
  });

  test('says what a failing start command printed, and its end', async () => {
    const { status, text } = await start({
      startCmd: 'echo to stdout; echo to stderr >&2; exit 3',
      readyCmd: 'false',
      timeoutSeconds: 30,
    });
    expect(status).toBe(500);
    const { code, message } = JSON.parse(text);
    expect(code).toBe(500);
    expect(message).toContain('start command ended with exit status 3');
    expect(message).toContain('to stdout');
    expect(message).toContain('to stderr');
  });

  test('keeps the end of long output only', async () => {
    const startCmd = 'seq 100000; exit 1';
    const { text } = await start({ startCmd, readyCmd: 'false', timeoutSeconds: 30 });
    expect(text.length).toBeLessThan(10_000);
    expect(text).toContain('100000');
  });

  test('gives up when the time is over, and says what the ready command printed', async () => {
    const { status, text } = await start({ readyCmd: 'echo not yet; false', timeoutSeconds: 0.5 });
    expect(status).toBe(500);
    expect(text).toContain('did not succeed within 0.5 s');
    expect(text).toContain('not yet');
    await start({ readyCmd: 'exec sleep 300', timeoutSeconds: 0.5 });
    await until('the ready command was ended', async () => !(await rpc('List', {})).processes);
  });

  test('a start command that ends well may have left something running', async () => {
    const answer = await start({
      startCmd: '(sleep 0.5; touch ~/later) >/dev/null 2>&1 &',
      readyCmd: 'test -e ~/later',
      timeoutSeconds: 30,
    });
    expect(answer.status).toBe(204);
  });

  test('runs where it is told, and with the settings of init', async () => {
    await init({ envVars: { FROM: 'init' } });
    const startCmd = 'echo "$FROM $USER $(basename "$PWD")" >~/said';
    expect((await start({ startCmd, workdir: '/tmp', user: 'root', timeoutSeconds: 5 })).status).toBe(204);
    const said = join(envd.root, 'root/said');
    await until('it ran', () => existsSync(said) && readFileSync(said, 'utf8') !== '');
    expect(readFileSync(said, 'utf8')).toBe('init root tmp\n');
  });

  test.each([
    [{}, 'timeoutSeconds'],
    [{ timeoutSeconds: '5' }, 'timeoutSeconds'],
    [{ timeoutSeconds: 5, startCmd: 7 }, 'startCmd must be a string'],
    [{ timeoutSeconds: 5, startCmd: 'true', workdir: '/none' }, "cwd '/none' does not exist"],
    [{ timeoutSeconds: 5, user: 'bob' }, "invalid username: 'bob'"],
  ])('%j is refused', async (body, words) => {
    const { status, text } = await start(body);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
    expect(JSON.parse(text).message).toContain(words);
  });
});

describe('init', () => {
  test('replaces the variables, and leaves what it does not name', async () => {
    await init({ envVars: { A: '1', B: '2' } });
    await init({ envVars: { B: '3' }, accessToken: 'x', timestamp: 'y', unknown: [] });
    expect(JSON.parse((await envd.request('GET', '/envs')).text)).toEqual({ B: '3' });
    expect((await init({})).status).toBe(204);
    expect(JSON.parse((await envd.request('GET', '/envs')).text)).toEqual({ B: '3' });
  });

  test('sets who and where is meant when nothing is said', async () => {
    const where = async () =>
      JSON.parse((await envd.request('POST', '/filesystem.Filesystem/Stat', { path: '' })).text).entry.path;
    expect(await where()).toBe('/home/user');
    await init({ defaultUser: 'root' });
    expect(await where()).toBe('/root');
    await init({ defaultUser: 'user', defaultWorkdir: '/tmp' });
    expect(await where()).toBe('/tmp');
    await init({ defaultUser: 'user' });
    expect(await where()).toBe('/home/user');
  });

  test.each([
    [{ envVars: { A: 1 } }, 'envVars.A must be a string'],
    [{ defaultUser: 'bob' }, "no user 'bob'"],
    [{ defaultWorkdir: 'relative' }, 'absolute'],
    [[], 'must be an object'],
  ])('%j is refused', async (body, words) => {
    const { status, text } = await init(body);
    expect(status).toBe(400);
    expect(JSON.parse(text).message).toContain(words);
  });
});
