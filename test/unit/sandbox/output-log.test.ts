import { expect, test } from 'vitest';
import { OutputLog, type OutputPiece } from '../../../src/sandbox/output-log.js';

const piece = (text: string | Uint8Array, type: OutputPiece['type'] = 'stdout'): OutputPiece => ({
  type,
  data: typeof text === 'string' ? new TextEncoder().encode(text) : text,
});

async function all(log: OutputLog): Promise<string> {
  let text = '';
  for await (const entry of log.read()) {
    text += entry.type === 'gap' ? `[${entry.bytes}]` : new TextDecoder().decode(entry.data);
  }
  return text;
}

test('a reader that comes late sees everything from the beginning', async () => {
  const log = new OutputLog(Number.POSITIVE_INFINITY);
  await log.write(piece('a'));
  await log.write(piece('b'));
  const early = all(log);
  await log.write(piece('c'));
  log.end();
  expect([await early, await all(log)]).toEqual(['abc', 'abc']);
});

test('text joins characters that were cut between pieces, each kind for itself', async () => {
  const log = new OutputLog(Number.POSITIVE_INFINITY);
  const [first, ...others] = new TextEncoder().encode('é');
  await log.write(piece(Uint8Array.of(first ?? 0)));
  await log.write(piece('x', 'stderr'));
  await log.write(piece(Uint8Array.from(others)));
  expect([log.text('stdout'), log.text('stderr')]).toEqual(['é', 'x']);
});

test('a writer waits for a reader that is far behind, and not for one that has left', async () => {
  const log = new OutputLog(Number.POSITIVE_INFINITY);
  const reader = log.read();
  const big = piece(new Uint8Array(900_000));
  await log.write(big);
  await reader.next();
  await log.write(big);
  let written = false;
  const third = log.write(big).then(() => {
    written = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(written).toBe(false);
  await reader.return();
  await third;
});

test('nothing is kept for nobody when nothing is to be kept, and a reader is told so', async () => {
  const log = new OutputLog(0);
  await log.write(piece('lost'));
  const reader = log.read();
  expect((await reader.next()).value).toMatchObject({ type: 'gap', bytes: 4 });
  const next = reader.next();
  await log.write(piece('seen'));
  expect((await next).value).toEqual(piece('seen'));
  await reader.return();
  expect(log.text('stdout')).toBe('');
  expect(log.dropped).toEqual({ stdout: 8, stderr: 0 });
});

test('the newest are kept, and what was let go is counted, each kind for itself', async () => {
  const log = new OutputLog(6);
  for (const text of ['abcd', 'efgh']) await log.write(piece(text));
  await log.write(piece('XY', 'stderr'));
  log.end();
  expect([log.text('stdout'), log.text('stderr')]).toEqual(['efgh', 'XY']);
  expect(log.dropped).toEqual({ stdout: 4, stderr: 0 });
  expect(await all(log)).toBe('[4]efghXY');
});

test('a piece larger than all that is kept loses its beginning, and no character is cut', async () => {
  const log = new OutputLog(7);
  await log.write(piece('xx終わり'));
  log.end();
  // Seven bytes are left: one of a character that is cut off, and two characters.
  expect(log.text('stdout')).toBe('わり');
  expect(log.dropped.stdout).toBe(4);
});

test('what a slow reader has not read is kept for it', async () => {
  const log = new OutputLog(2);
  const reader = log.read();
  const first = reader.next();
  for (const text of ['ab', 'cd', 'ef']) await log.write(piece(text));
  log.end();
  let seen = '';
  for (let next = await first; !next.done; next = await reader.next()) {
    if (next.value.type !== 'gap') seen += new TextDecoder().decode(next.value.data);
  }
  expect(seen).toBe('abcdef');
  expect(log.text('stdout')).toBe('ef');
});

test('a hundred thousand small pieces leave no more behind than is to be kept', async () => {
  const log = new OutputLog(100);
  for (let index = 0; index < 100_000; index++) await log.write(piece(`${index % 10}`));
  log.end();
  expect(log.text('stdout')).toBe('0123456789'.repeat(10));
  expect(log.dropped.stdout).toBe(99_900);
});

test('a gap is where it was, until it is let go with its surroundings', async () => {
  const log = new OutputLog(4);
  await log.write(piece('ab'));
  await log.write({ type: 'gap', bytes: null, reason: 'test' });
  await log.write(piece('cd'));
  log.end();
  expect(await all(log)).toBe('ab[null]cd');
  await log.write(piece('efgh'));
  expect(await all(log)).toBe('[null]efgh');
});
