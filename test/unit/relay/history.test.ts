import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { History } from '../../../src/relay/history.js';
import { Ring } from '../../../src/relay/ring.js';

describe('the ring', () => {
  it('keeps the last bytes of whatever is appended', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 70_000 }),
        fc.array(fc.integer({ min: 0, max: 40_000 }), { maxLength: 12 }),
        (limit, lengths) => {
          const ring = new Ring(limit);
          const all: number[] = [];
          for (const length of lengths) {
            const data = Uint8Array.from({ length }, (_, index) => (all.length + index) % 251);
            for (const byte of data) all.push(byte);
            ring.append(data);
            expect(ring.head).toBe(all.length);
            expect(ring.tail).toBe(Math.max(0, all.length - limit));
            const kept = ring.read(ring.tail, ring.head - ring.tail);
            expect(Buffer.compare(kept, Uint8Array.from(all.slice(ring.tail)))).toBe(0);
          }
        },
      ),
      { seed: 20_261_123, numRuns: 60 },
    );
  });
});

describe('the history', () => {
  it('starts again at the start of a line', () => {
    const history = new History(16);
    const print = (text: string) => history.append(new TextEncoder().encode(text));
    print('first\n');
    expect(history.lineStart()).toBe(0);
    print('second\nthird\n');
    expect(history.tail).toBe(3);
    expect(history.lineStart()).toBe(6);
    print('x'.repeat(20));
    expect(history.lineStart()).toBe(history.tail);
  });

  it('keeps its holes as long as the output around them', () => {
    const history = new History(8);
    history.append(new Uint8Array(4));
    history.addHole('lost');
    expect(history.nextMark(0, 0)).toMatchObject({ at: 4, reason: 'lost' });
    expect(history.nextMark(5, 0)).toBeUndefined();
    expect(history.nextMark(0, 1)).toBeUndefined();
    history.append(new Uint8Array(9));
    expect(history.nextMark(0, 0)).toBeUndefined();
  });

  it('knows the size of each byte that it keeps, and keeps few sizes', () => {
    const history = new History(16 * 1024, { cols: 1, rows: 1 });
    expect(history.sizeAt(0)).toEqual({ cols: 1, rows: 1 });
    for (let cols = 2; cols <= 1000; cols++) {
      history.append(new Uint8Array(1));
      history.addSize({ cols: 9999, rows: 1 });
      history.addSize({ cols, rows: 1 });
    }
    history.addHole('lost');
    expect(history.sizeAt(998)).toEqual({ cols: 999, rows: 1 });
    expect(history.sizeAt(999)).toEqual({ cols: 1000, rows: 1 });
    // What is forgotten is taken to be as what came after it.
    expect(history.sizeAt(5)).toEqual({ cols: 744, rows: 1 });
    let marks = 0;
    for (let mark = history.nextMark(0, 0); mark; mark = history.nextMark(mark.at, mark.id)) marks++;
    expect(marks).toBe(257);
    history.append(new Uint8Array(20 * 1024));
    expect(history.nextMark(0, 0)).toBeUndefined();
    expect(history.sizeAt(history.tail)).toEqual({ cols: 1000, rows: 1 });
  });
});
