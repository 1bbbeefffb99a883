import { describe, expect, test } from 'vitest';
import { Turns } from '../../../src/local/os/turns.js';
import { openSource, shellIn, take } from './support/machines.js';

describe('turns', () => {
  test('are taken so many at a time, in the order of asking, also after one that failed', async () => {
    const turns = new Turns(2);
    const [began, ended]: [number[], (() => void)[]] = [[], []];
    const tasks = Array.from({ length: 5 }, (_, i) =>
      turns.run(async () => {
        began.push(i);
        await new Promise<void>((resolve) => ended.push(resolve));
        if (i === 0) throw new Error('failed');
        return i;
      }),
    );
    const settled = Promise.allSettled(tasks);
    for (let running = 2; running <= 5; running++) {
      await new Promise(setImmediate);
      expect(began).toEqual(Array.from({ length: running }, (_, i) => i));
      ended.shift()!();
    }
    ended.shift()!();
    expect((await settled).map(({ status }) => status)).toEqual(['rejected', ...Array(4).fill('fulfilled')]);
  });
});

test('many at once all come up, each its own', async () => {
  const source = await openSource('bubblewrap');
  const machines = await Promise.all(Array.from({ length: 24 }, () => take(source)));
  await Promise.all(machines.map((machine, i) => shellIn(machine, `echo ${i} > mine`)));
  const said = await Promise.all(machines.map((machine) => shellIn(machine, 'cat mine')));
  expect(said.map(Number)).toEqual(machines.map((_, i) => i));
});

test('settings that envd refuses are refused in its words', async () => {
  const machine = await take(await openSource('none'));
  const settings = { envVars: {}, defaultUser: 'nobodyknows' };
  await expect(machine.init(settings)).rejects.toThrow("the sandbox has no user 'nobodyknows'");
  expect(await shellIn(machine, 'id -un >/dev/null && echo well')).toBe('well\n');
});
