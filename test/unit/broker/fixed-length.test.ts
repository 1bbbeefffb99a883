import { afterEach, describe, expect, test, vi } from 'vitest';
import { lengthOf, withLength } from '../../../src/broker/fixed-length.js';

afterEach(() => {
  vi.unstubAllGlobals();
});

const announced = new Headers({ 'content-length': '4' });
const text = (value: string) => new Response(value).body as ReadableStream<Uint8Array<ArrayBuffer>>;

/** As workerd has it: it fails where more or less comes than was announced. */
class FixedLengthStream extends TransformStream<Uint8Array, Uint8Array> {
  constructor(length: number) {
    let missing = length;
    super({
      transform(chunk, controller) {
        missing -= chunk.length;
        controller.enqueue(chunk);
      },
      flush() {
        if (missing !== 0) throw new TypeError(`${missing} bytes are missing`);
      },
    });
  }
}

describe('a body whose answer announces its length', () => {
  test('is told to break off where it is shorter, in workerd', async () => {
    vi.stubGlobal('FixedLengthStream', FixedLengthStream);
    expect(await new Response(withLength(text('four'), announced)).text()).toBe('four');
    await expect(new Response(withLength(text('two'), announced)).text()).rejects.toThrow('1 bytes');
  });

  test('breaks off at the other end as well, and nowhere else', async () => {
    vi.stubGlobal('FixedLengthStream', FixedLengthStream);
    const broken = new ReadableStream<Uint8Array>({
      start: (controller) => controller.error(new Error('gone')),
    });
    // A rejection that nobody takes ends the test run.
    await expect(new Response(withLength(broken, announced)).text()).rejects.toThrow('gone');
  });

  test('stays as it is where a runtime has no stream for that', () => {
    const body = text('four');
    expect(withLength(body, announced)).toBe(body);
  });

  test('stays as it is where no length is announced', () => {
    vi.stubGlobal('FixedLengthStream', FixedLengthStream);
    const body = text('four');
    expect(withLength(body, new Headers())).toBe(body);
  });
});

describe('the length that is announced', () => {
  test('is a number, or not there', () => {
    expect(lengthOf(announced)).toBe(4);
    expect(lengthOf(new Headers({ 'content-length': '0' }))).toBe(0);
    expect(lengthOf(new Headers())).toBeUndefined();
  });
});
