import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { HostSocket } from '../../../src/hosts/host-socket.js';
import { type PassingSocket, passingSocket } from '../../../src/hosts/passing-socket.js';
import { decodeFrame, encodeFrame, FrameType } from '../../../src/wire/pty-frame.js';
import { encodeJson, parseRefusal } from '../../../src/wire/pty-messages.js';

let sent: (Uint8Array | string)[];
let closed: number[];
let taken: (Uint8Array | string)[];
let ended: number;
let inner: HostSocket;
let socket: PassingSocket;

beforeEach(() => {
  vi.useFakeTimers();
  [sent, closed, taken, ended] = [[], [], [], 0];
  inner = {
    send: (data) => void sent.push(data),
    close: (code) => void closed.push(code),
    bufferedAmount: () => 0,
    onMessage: () => undefined,
    onClose: () => undefined,
  };
  socket = passingSocket(inner, () => ended++);
  socket.onMessage = (data) => taken.push(data);
});
afterEach(() => vi.useRealTimers());

const typed = (offset: number, text: string) =>
  encodeFrame(FrameType.in, offset, new TextEncoder().encode(text));
const welcome = () => socket.send(encodeJson(FrameType.welcome, 0, {}));
const settle = (offset: number) => socket.send(encodeFrame(FrameType.ack, offset));
const refusal = () => {
  const { type, offset, payload } = decodeFrame(sent.at(-1)!);
  return { type, offset, code: parseRefusal(payload).code };
};

test('it is handed over at once where no input waits', () => {
  welcome();
  socket.handOver();
  expect(closed).toEqual([1012]);
  expect(refusal()).toEqual({ type: FrameType.error, offset: 0, code: 'handed_over' });
  expect(ended).toBe(1);
});

test('it waits for the fate of what was taken, and takes nothing meanwhile', () => {
  welcome();
  inner.onMessage(typed(0, 'abc'));
  settle(2);
  socket.handOver();
  inner.onMessage(typed(3, 'def'));
  expect(closed).toEqual([]);
  expect(taken.length).toBe(1);
  settle(3);
  expect(closed).toEqual([1012]);
  expect(refusal()).toEqual({ type: FrameType.error, offset: 3, code: 'handed_over' });
});

test('other messages are passed on meanwhile, and output as well', () => {
  welcome();
  inner.onMessage(typed(0, 'abc'));
  socket.handOver();
  inner.onMessage(encodeFrame(FrameType.ack, 7));
  inner.onMessage('no frame');
  expect(taken.length).toBe(3);
  socket.send(encodeFrame(FrameType.out, 0, new Uint8Array(5)));
  expect(decodeFrame(sent.at(-1)!).type).toBe(FrameType.out);
});

test('not before there is a terminal, and not for ever', () => {
  socket.handOver();
  expect(closed).toEqual([]);
  welcome();
  expect(closed).toEqual([1012]);
});

test('a program that does not read holds it up for five seconds', () => {
  welcome();
  inner.onMessage(typed(0, 'abc'));
  socket.handOver();
  vi.advanceTimersByTime(4_999);
  expect(closed).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(closed).toEqual([1012]);
});

test('it ends once, whoever closes it', () => {
  let closes = 0;
  socket.onClose = () => closes++;
  inner.onClose(1006);
  socket.close(1000, '');
  socket.handOver();
  expect([ended, closes]).toEqual([1, 1]);
  expect(vi.getTimerCount()).toBe(0);
});
