import { readFileSync, statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { hostProcesses, uniqueSleep } from './support/host-processes.js';
import { kinds, launchIn, openSource, shellIn, take } from './support/machines.js';
import { until } from './support/until.js';

/** Long enough for anything that runs to show it. */
const whileMs = 150;

describe.each(kinds)('isolation: %s', (kind) => {
  test('what counts stops counting, and goes on', async () => {
    const machine = await take(await openSource(kind));
    const mark = uniqueSleep();
    await launchIn(machine, `${mark} & while :; do echo >>count; done`);
    await until('it counts', () => countOf(mark) > 0);
    await machine.freeze();
    const stopped = countOf(mark);
    await delay(whileMs);
    expect(countOf(mark)).toBe(stopped);
    await machine.thaw();
    await until('it counts again', () => countOf(mark) > stopped);
    expect(await shellIn(machine, 'echo well')).toBe('well\n');
  });

  test('daemons stop as well, and those that somebody has stopped already stay so', async () => {
    const machine = await take(await openSource(kind));
    const mark = uniqueSleep();
    const loop = `${mark} & while :; do echo >>count; done`;
    await shellIn(machine, `setsid -f sh -c '${loop}' >/dev/null 2>&1 </dev/null`);
    const asleep = uniqueSleep();
    await shellIn(machine, `exec >/dev/null 2>&1; ${asleep} & kill -STOP $!`);
    await until('it counts', () => countOf(mark) > 0);
    await until('it is stopped', () => stateOf(hostProcesses(asleep)[0]!) === 'T');
    await machine.freeze();
    const stopped = countOf(mark);
    await delay(whileMs);
    expect(countOf(mark)).toBe(stopped);
    await machine.thaw();
    await until('it counts again', () => countOf(mark) > stopped);
    expect(stateOf(hostProcesses(asleep)[0]!)).toBe('T');
  });

  test('whoever forks all the time is stopped whole', async () => {
    const machine = await take(await openSource(kind));
    const mark = uniqueSleep();
    // Each lives for a moment only, and has made the next by then.
    await launchIn(machine, `go() { go & }; : ${mark}; go`);
    await launchIn(machine, `while :; do sh -c ': ${mark}; true'; done`);
    await until('they run', () => hostProcesses(mark).length > 1);
    const first = new Set(hostProcesses(mark));
    await until('they change', () => hostProcesses(mark).some((pid) => !first.has(pid)));
    await machine.freeze();
    const stopped = hostProcesses(mark);
    await delay(whileMs);
    // One that was about to end when it was stopped may be gone by now.
    expect(hostProcesses(mark).filter((pid) => !stopped.includes(pid))).toEqual([]);
    expect(stopped).not.toEqual([]);
    await machine.close();
    expect(hostProcesses(mark)).toEqual([]);
  });

  test('an interactive shell does not notice', async () => {
    const machine = await take(await openSource(kind));
    const mark = uniqueSleep();
    await launchIn(machine, `python3 -c '${interactive(mark)}'`);
    await until('the job runs', () => hostProcesses(mark).some((pid) => nameOf(pid) === 'sleep'));
    await machine.freeze();
    await delay(whileMs);
    await machine.thaw();
    const said = await shellIn(machine, 'touch go; until grep -q TheEnd said; do sleep 0.05; done; cat said');
    expect(said).toContain(mark);
    expect(said).not.toMatch(/Stopped|Continued/);
  });

  test('it can be ended', async () => {
    const machine = await take(await openSource(kind));
    const mark = uniqueSleep();
    await launchIn(machine, mark);
    await until('it runs', () => hostProcesses(mark).length > 0);
    await machine.freeze();
    await machine.close();
    expect(hostProcesses(mark)).toEqual([]);
  });

  test('files are saved as they are at one moment', async () => {
    const source = await openSource(kind);
    const machine = await take(source);
    await launchIn(machine, 'i=0; while :; do i=$((i+1)); echo $i >a; echo $i >b; done');
    await until('it writes', async () => (await shellIn(machine, 'cat b')) !== '');
    for (let round = 0; round < 5; round++) {
      const copy = await take(source, { files: await machine.saveFiles() });
      const [a = '', b = ''] = (await shellIn(copy, 'cat a; echo; cat b')).split('\n\n');
      // Between truncating and writing a file is empty.
      if (a.trim() !== '' && b.trim() !== '') expect([0, 1]).toContain(Number(a) - Number(b));
    }
    const before = await shellIn(machine, 'cat b');
    await until('it goes on', async () => (await shellIn(machine, 'cat b')) !== before);
  });
});

/** How often a loop beside that process has gone round. */
function countOf(mark: string): number {
  const [pid] = hostProcesses(mark);
  return statSync(`/proc/${pid}/cwd/count`, { throwIfNoEntry: false })?.size ?? 0;
}

function stateOf(pid: number): string | undefined {
  return statusOf(pid, 'State');
}

function nameOf(pid: number): string | undefined {
  return statusOf(pid, 'Name');
}

function statusOf(pid: number, field: string): string | undefined {
  try {
    return new RegExp(`^${field}:\\s*(\\w+)`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  } catch {
    return undefined;
  }
}

/**
 * A bash on a terminal of its own that runs a job in the foreground, until there is a file `go`. What it says is
 * in the file `said`.
 */
function interactive(job: string): string {
  return `
import os, pty, select
pid, fd = pty.fork()
if pid == 0: os.execvp("bash", ["bash", "--norc", "-i"])
os.write(fd, b"${job}\\n")
asks = [b"\\x03", b"jobs; echo The\\"\\"End\\n"]
with open("said", "wb", 0) as said:
  while True:
    if select.select([fd], [], [], 0.2)[0]: said.write(os.read(fd, 4096))
    elif asks and os.path.exists("go"): os.write(fd, asks.pop(0))
`.trim();
}
