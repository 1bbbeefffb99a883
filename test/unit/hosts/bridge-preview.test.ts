import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { bridgePreview } from '../../../src/hosts/bridge-preview.js';
import type { HostSocket } from '../../../src/hosts/host-socket.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** One end, which tells what was said to it. */
function end() {
  const said: (string | Uint8Array)[] = [];
  const closed: number[] = [];
  const socket: HostSocket = {
    send: (data) => said.push(data),
    close: (code) => closed.push(code),
    bufferedAmount: () => 0,
    onMessage: () => undefined,
    onClose: () => undefined,
  };
  return { socket, said, closed };
}

function bridge() {
  const app = end();
  const leave = vi.fn();
  const preview = { port: 1, url: '', headers: {}, protocols: [], life: {}, leave };
  return { app, leave, attach: bridgePreview(app.socket, preview) };
}

test('what the app says before the page is there comes first, and once', () => {
  const { app, attach } = bridge();
  app.socket.onMessage('one');
  const page = end();
  attach(page.socket);
  app.socket.onMessage('two');
  page.socket.onMessage('back');
  expect([page.said, app.said]).toEqual([['one', 'two'], ['back']]);
});

test('an app that says more than is kept is left', () => {
  const { app, leave } = bridge();
  for (let piece = 0; piece < 16; piece++) app.socket.onMessage(new Uint8Array(1024 * 1024));
  expect(app.closed).toEqual([]);
  app.socket.onMessage('x');
  expect(app.closed).toEqual([1000]);
  expect(leave).toHaveBeenCalled();
  expect(vi.getTimerCount()).toBe(0);
});

test('a page that never comes leaves nothing open', () => {
  const { app, leave, attach } = bridge();
  vi.advanceTimersByTime(10_000);
  expect(app.closed).toEqual([1000]);
  expect(leave).toHaveBeenCalled();
  const late = end();
  attach(late.socket);
  expect(late.closed).toEqual([1000]);
  expect(vi.getTimerCount()).toBe(0);
});
