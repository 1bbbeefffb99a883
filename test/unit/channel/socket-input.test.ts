import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { SocketInput } from '../../../src/channel/socket-input.js';
import { isE2BEdgeError } from '../../../src/errors.js';
import { decodeFrame, FrameType } from '../../../src/wire/pty-frame.js';
import { encodeJson } from '../../../src/wire/pty-messages.js';

let sent: [offset: number, length: number][];
let fates: Record<string, string>;
let input: SocketInput;

beforeEach(() => {
  vi.useFakeTimers();
  sent = [];
  fates = {};
  input = new SocketInput({ transmit: (offset, data) => sent.push([offset, data.length]), heldMs: 5_000 });
});

afterEach(async () => {
  input.end('the test is over');
  await vi.advanceTimersByTimeAsync(0);
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

/** Sends so many bytes, and notes under a name what becomes of them. */
function send(name: string, length: number): void {
  input.send(new Uint8Array(length)).then(
    () => {
      fates[name] = 'executed';
    },
    (error) => {
      expect(isE2BEdgeError(error)).toBe(true);
      fates[name] = error.code;
    },
  );
}

const settle = () => vi.advanceTimersByTimeAsync(0);

it('sends pieces of at most 1 KiB, 64 KiB ahead of the acknowledgement', async () => {
  input.up(0, true);
  send('large', 70 * 1024 + 1);
  expect(sent).toHaveLength(64);
  expect(sent[1]).toEqual([1_024, 1_024]);
  input.acked(10 * 1024);
  expect(sent).toHaveLength(71);
  expect(sent.at(-1)).toEqual([70 * 1024, 1]);
  input.acked(70 * 1024);
  await settle();
  expect(fates).toEqual({});
  input.acked(70 * 1024 + 1);
  await settle();
  expect(fates).toEqual({ large: 'executed' });
});

it('sends again what a relay that went away in good order had not taken', async () => {
  input.up(0, true);
  send('taken', 3);
  send('not taken', 2);
  input.acked(3);
  input.down(Date.now(), 3);
  input.up(null, true);
  expect(sent).toEqual([
    [0, 3],
    [3, 2],
    [0, 2],
  ]);
  input.acked(2);
  await settle();
  expect(fates).toEqual({ taken: 'executed', 'not taken': 'executed' });
});

it('does not send again what it had taken, whatever became of that', async () => {
  input.up(0, true);
  send('taken', 3);
  input.down(Date.now(), 3);
  input.up(null, true);
  await settle();
  expect(fates).toEqual({ taken: 'input_uncertain' });
  expect(sent).toEqual([[0, 3]]);
});

it('does not send the rest of a text whose beginning was lost', async () => {
  input.up(0, true);
  send('text', 100 * 1024);
  send('later', 1);
  expect(sent).toHaveLength(64);
  input.lost(
    decodeFrame(
      encodeJson(FrameType.notExecuted, 0, { to: 64 * 1024, reason: 'the sandbox did not take it' }),
    ),
  );
  input.acked(64 * 1024);
  await settle();
  expect(sent.slice(64)).toEqual([[64 * 1024, 1]]);
  expect(fates).toEqual({ text: 'input_not_executed' });
});

it('sends again what was not accepted, from where the relay says', async () => {
  input.up(0, true);
  send('accepted', 10);
  send('on its way', 20);
  input.down(Date.now());
  send('typed meanwhile', 5);
  expect(sent).toHaveLength(2);
  input.up(10, true);
  expect(sent.slice(2)).toEqual([
    [10, 20],
    [30, 5],
  ]);
  input.acked(35);
  await settle();
  expect(fates).toEqual({ accepted: 'executed', 'on its way': 'executed', 'typed meanwhile': 'executed' });
});

it('gives back what was typed too long before the link is back, and sends what is fresh', async () => {
  input.up(0, true);
  await vi.advanceTimersByTimeAsync(60_000);
  send('typed into the dead link', 3);
  await vi.advanceTimersByTimeAsync(4_000);
  input.down(Date.now() - 10_000);
  send('old', 1);
  await vi.advanceTimersByTimeAsync(3_000);
  send('fresh', 2);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(fates).toEqual({ old: 'input_not_executed' });
  input.up(0, true);
  await settle();
  expect(fates).toEqual({ old: 'input_not_executed', 'typed into the dead link': 'input_not_executed' });
  expect(sent.slice(1)).toEqual([[0, 2]]);
});

it('keeps what waited for the window of a link that was good', async () => {
  input.up(0, true);
  send('large', 65 * 1024);
  await vi.advanceTimersByTimeAsync(20_000);
  input.down(Date.now());
  input.up(0, true);
  expect(sent).toHaveLength(128);
});

it('calls uncertain what another relay cannot know, and numbers the rest anew', async () => {
  input.up(0, true);
  send('in flight', 7);
  input.down(Date.now());
  send('waiting', 2);
  input.up(null, false);
  await settle();
  expect(fates).toEqual({ 'in flight': 'input_uncertain' });
  expect(sent.slice(1)).toEqual([[0, 2]]);
});

it('tells at the end what was sent, what was not, and what the relay did not accept', async () => {
  input.up(0, true);
  send('sent', 5);
  send('not accepted', 5);
  send('large', 70 * 1024);
  input.end('closed', 5);
  send('after', 1);
  await settle();
  expect(fates).toEqual({
    sent: 'input_uncertain',
    'not accepted': 'input_not_executed',
    large: 'input_not_executed',
    after: 'input_not_executed',
  });
});

it('sends nothing of a viewer, whose input in flight has its fate from the relay', async () => {
  input.up(0, true);
  send('in flight', 10);
  send('large', 70 * 1024);
  input.refuse('another window writes');
  send('later', 1);
  await settle();
  expect(fates).toEqual({ later: 'input_not_executed' });
  const transmitted = 10 + 63 * 1024;
  input.acked(transmitted);
  await settle();
  expect(fates).toEqual({
    'in flight': 'executed',
    large: 'input_not_executed',
    later: 'input_not_executed',
  });
  input.refuse(undefined);
  send('again', 5);
  expect(sent.at(-1)).toEqual([transmitted, 5]);
});

it('does not send to a viewer again what was in flight when the link broke', async () => {
  input.up(0, true);
  send('unknown', 10);
  input.down(Date.now());
  send('typed', 5);
  await settle();
  expect(fates).toEqual({});
  input.refuse('another window writes');
  input.up(0, true);
  await settle();
  expect(sent).toHaveLength(1);
  expect(fates).toEqual({ unknown: 'input_not_executed', typed: 'input_not_executed' });
});

it('lets an interrupt key take the place of what was not sent, beyond the window', async () => {
  input.up(0, true);
  send('paste', 100 * 1024);
  expect(sent).toHaveLength(64);
  const key = input.send(Uint8Array.of(3));
  expect(sent.slice(64)).toEqual([[64 * 1024, 1]]);
  input.acked(64 * 1024 + 1);
  await key;
  expect(fates).toEqual({ paste: 'input_not_executed' });
  expect(sent).toHaveLength(65);
});

it('cuts no text so that its end looks like an interrupt key', () => {
  input.up(0, true);
  const text = new Uint8Array(1025);
  text[1024] = 3;
  input.send(text).catch(() => undefined);
  expect(sent.map(([, length]) => length)).toEqual([1023, 2]);
});
