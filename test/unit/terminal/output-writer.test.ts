import fc from 'fast-check';
import { expect, test } from 'vitest';
import { OutputWriter } from '../../../src/terminal/output-writer.js';

/** A terminal whose parser runs only when a test says so. */
class SlowTerminal {
  readonly waiting: { data: Uint8Array; callback: () => void }[] = [];
  readonly shown: number[] = [];

  write(data: Uint8Array, callback: () => void): void {
    this.waiting.push({ data, callback });
  }

  parseOne(): void {
    const next = this.waiting.shift();
    if (!next) return;
    this.shown.push(...next.data);
    next.callback();
  }
}

const output = (offset: number, data: Uint8Array) => ({ type: 'output' as const, offset, data });
const settled = async (promise: Promise<unknown>) =>
  Promise.race([promise.then(() => true), new Promise((resolve) => setTimeout(resolve, 0, false))]);

test('passes every byte on, in order, and tells offsets that only grow', async () => {
  const pieces = fc.array(fc.uint8Array({ minLength: 1, maxLength: 100_000 }), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(pieces, fc.nat(200_000), async (written, replayUntil) => {
      const terminal = new SlowTerminal();
      const offsets: number[] = [];
      const writer = new OutputWriter(terminal, Number.MAX_SAFE_INTEGER, (offset) => offsets.push(offset));
      let offset = 0;
      for (const data of written) {
        await writer.write(output(offset, data), replayUntil);
        offset += data.length;
      }
      while (terminal.waiting.length > 0) terminal.parseOne();
      expect(Buffer.from(terminal.shown).equals(Buffer.concat(written))).toBe(true);
      expect(offsets).toEqual([...offsets].sort((a, b) => a - b));
      expect(offsets.at(-1) ?? 0).toBe(offset);
      expect(writer.replaying).toBe(false);
    }),
    { numRuns: 30 },
  );
});

test('holds the writer while more than the bound waits', async () => {
  const terminal = new SlowTerminal();
  const writer = new OutputWriter(terminal, 10, () => undefined);
  expect(await settled(writer.write(output(0, new Uint8Array(10)), 0))).toBe(true);
  const held = writer.write(output(10, new Uint8Array(5)), 0);
  expect(await settled(held)).toBe(false);
  terminal.parseOne();
  expect(await settled(held)).toBe(true);
});

test('replays exactly until the offset where the replay ends', async () => {
  const terminal = new SlowTerminal();
  const writer = new OutputWriter(terminal, 100, () => undefined);
  await writer.write(output(0, new Uint8Array(10)), 4);
  expect(terminal.waiting.map(({ data }) => data.length)).toEqual([4, 6]);
  expect(writer.replaying).toBe(true);
  terminal.parseOne();
  expect(writer.replaying).toBe(false);
});

test('lets go of who waits when it is stopped', async () => {
  const writer = new OutputWriter(new SlowTerminal(), 1, () => undefined);
  const held = writer.write(output(0, new Uint8Array(5)), 0);
  writer.stop();
  expect(await settled(held)).toBe(true);
});
