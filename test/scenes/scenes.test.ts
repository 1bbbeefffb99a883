/** The scenes of the demo as a reader runs them: each starts its own local server. */

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const script = fileURLToPath(new URL('../../demo/scenes/run.mjs', import.meta.url));

async function scene(...args: string[]): Promise<string[]> {
  const { E2B_API_KEY: _key, E2B_API_URL: _api, E2B_SANDBOX_URL: _sandbox, ...env } = process.env;
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [script, ...args], { env });
  expect(stderr).toBe('');
  return stdout.trimEnd().split('\n');
}

test('basics', async () => {
  expect(await scene('basics')).toEqual([
    'Hello from user',
    'sorted: 1 2 3',
    'file numbers.txt, 6 bytes',
    'file sorted.txt, 6 bytes',
    expect.stringMatching(/^ls: exit code \d, ls: .*nowhere.*No such file/),
    'running, for the scene basics',
    'killed: true',
    'running: false',
  ]);
});

test('many-sandboxes', async () => {
  const lines = await scene('many-sandboxes');
  const kinds = [
    expect.stringMatching(/^python3-11: Python 3\.\d+\.\d+ writes bytecode: False$/),
    expect.stringMatching(/^nodejs18: Node \d+\.\d+\.\d+ for production$/),
    expect.stringMatching(/^ubuntu22: .+, noninteractive$/),
  ];
  expect(lines).toEqual([...kinds, ...kinds, 'at once: 6']);
});

test('ends-with-its-block', async () => {
  expect(await scene('ends-with-its-block')).toEqual([
    '6 * 7 = 42',
    '6 / 0: CommandExitError',
    'still there: false',
    'still there: false',
  ]);
});

test('stream-and-info', async () => {
  const lines = await scene('stream-and-info');
  expect(lines.filter((line) => line.startsWith('stdout'))).toEqual(
    [1, 2, 3, 4, 5].map((step) => `stdout: step ${step} of 5`),
  );
  const info = lines.indexOf('info: the sandbox is running, and the command is among its processes');
  expect(info).toBeGreaterThan(lines.indexOf('stdout: step 2 of 5'));
  expect(info).toBeLessThan(lines.indexOf('stdout: step 5 of 5'));
  expect(lines).toContain('stderr: a warning');
  expect(lines.at(-1)).toBe('exit code 3');
});

test('pool', async () => {
  const answers = Array.from({ length: 10 }, (_, request) => `answer ${request}`);
  expect(await scene('pool')).toEqual([
    'lent: 1',
    answers.join(', '),
    'never more than 4 at a time: true',
    'left: 0',
  ]);
});

test('job-queue', async () => {
  const [notice, ...reports] = await scene('job-queue');
  expect(notice).toBe('unlucky: its sandbox failed, once more');
  expect(reports).toEqual([
    'sum: 5050 (attempt 1)',
    'typo: failed, CommandExitError (attempt 1)',
    'endless: failed, TimeoutError (attempt 1)',
    'unlucky: done after all (attempt 2)',
    'words: 4 (attempt 1)',
  ]);
});

test('another name is answered with those that there are', async () => {
  await expect(scene('basic')).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining('basics, many-sandboxes'),
  });
});
