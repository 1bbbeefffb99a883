import { expect, test } from 'vitest';
import { OutputLog, type OutputPiece } from '../../../src/sandbox/output-log.js';

const piece = (text: string | Uint8Array, type: OutputPiece['type'] = 'stdout'): OutputPiece => ({
  type,
  data: typeof text === 'string' ? new TextEncoder().encode(text) : text,
});

async function all(log: OutputLog): Promise<string> {
  let text = '';
  for await (const { data } of log.read()) text += new TextDecoder().decode(data);
  return text;
}

test('a reader that comes late sees everything from the beginning', async () => {
  const log = new OutputLog(true);
  await log.write(piece('a'));
  await log.write(piece('b'));
  const early = all(log);
  await log.write(piece('c'));
  log.end();
  expect([await early, await all(log)]).toEqual(['abc', 'abc']);
});

test('text joins characters that were cut between pieces, each kind for itself', async () => {
  const log = new OutputLog(true);
  const [first, ...others] = new TextEncoder().encode('é');
  await log.write(piece(Uint8Array.of(first ?? 0)));
  await log.write(piece('x', 'stderr'));
  await log.write(piece(Uint8Array.from(others)));
  expect([log.text('stdout'), log.text('stderr')]).toEqual(['é', 'x']);
});

test('a writer waits for a reader that is far behind, and not for one that has left', async () => {
  const log = new OutputLog(true);
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

test('nothing is kept for nobody when it is not to be kept', async () => {
  const log = new OutputLog(false);
  await log.write(piece('lost'));
  const reader = log.read();
  const next = reader.next();
  await log.write(piece('seen'));
  expect(new TextDecoder().decode((await next).value?.data)).toBe('seen');
  await reader.return();
  expect(log.text('stdout')).toBe('');
});
