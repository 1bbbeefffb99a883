/** A page at a terminal: a real relay before the broker, and a socket that the test holds the other end of. */

import type { Acceptance, BrokerCore } from '../../../src/broker/broker-core.js';
import type { HostSocket } from '../../../src/hosts/host-socket.js';
import { createBrokerRelay } from '../../../src/hosts/relay-access.js';
import { serveSocket } from '../../../src/hosts/serve-socket.js';
import { decodeFrame, encodeFrame, FrameType, ptyProtocol } from '../../../src/wire/pty-frame.js';
import { encodeJson } from '../../../src/wire/pty-messages.js';
import type { TerminalCall } from '../arbitraries/terminals.js';
import { pageOrigin } from '../law/judge-preview.js';
import { secretIn } from './secrets.js';
import type { Stage } from './stage.js';
import { fetchSettled, under } from './world.js';

const patienceMs = 20_000;

/** Does what the call says, and tells what is unlawful about how it was let in; what arrived is judged elsewhere. */
export async function openTerminal(
  { broker }: Stage,
  call: TerminalCall,
  sandboxId: string,
  token: string,
): Promise<{ violation: string | undefined; outcome: string }> {
  const headers = new Headers({ 'sec-websocket-protocol': ptyProtocol, ...call.headers });
  headers.set('upgrade', 'websocket');
  const request = new Request(`https://any.test/api/sandbox/pty/${sandboxId}`, { headers });
  const relay = createBrokerRelay(counted(broker), {});
  const socket = new HeldSocket();
  const acceptance: Acceptance<undefined> = {
    terminal: (upgrade) => void serveSocket(socket, upgrade, relay),
    preview: () => {
      throw new Error('a terminal was taken for a preview');
    },
  };
  try {
    const refusal = await broker.upgrade(request, {}, acceptance);
    if (refusal) return { violation: undefined, outcome: `refused ${refusal.status}` };
    const { origin } = call.headers;
    const isForeign = origin !== undefined && origin !== pageOrigin;
    if (!headers.get('sec-websocket-protocol')?.includes(ptyProtocol)) return wrong('another protocol');
    if (isForeign !== socket.isClosed) return wrong(`of ${origin}: ${socket.isClosed ? 'closed' : 'open'}`);
    if (isForeign) return { violation: undefined, outcome: 'closed' };
    socket.onMessage(encodeJson(FrameType.hello, 0, { ...hello, token, ...call.hello }));
    if (call.isEager) sendAll(socket, call);
    await socket.answered;
    if (!call.isEager) sendAll(socket, call);
    await fetchSettled();
    const secret = secretIn(Buffer.concat(socket.sent).toString('latin1'));
    return secret
      ? wrong(`a secret is in a frame: ${secret}`)
      : { violation: undefined, outcome: socket.outcome };
  } finally {
    socket.onClose();
    relay.close();
    await fetchSettled();
  }
}

/** What the relay asks the broker for is under way, too. */
function counted(broker: BrokerCore<undefined>): BrokerCore<undefined> {
  return {
    ...broker,
    authorizePty: async (...call) => {
      const session = await during(broker.authorizePty(...call));
      return { ...session, fetch: (...request) => during(session.fetch(...request)) };
    },
  };
}

async function during<T>(work: Promise<T>): Promise<T> {
  under.count++;
  try {
    return await work;
  } finally {
    under.count--;
  }
}

const hello = { clientId: 'c', have: 0, acked: 0, window: 65_536, cols: 80, rows: 24 };

function wrong(violation: string): { violation: string; outcome: string } {
  return { violation: `terminal: ${violation}`, outcome: 'wrong' };
}

function sendAll(socket: HeldSocket, { sends, hello: first }: TerminalCall): void {
  for (const what of sends) {
    if (socket.isClosed) return;
    if (what === 'input') socket.onMessage(encodeFrame(FrameType.in, 0, new TextEncoder().encode('ls\n')));
    else if (what === 'resize') socket.onMessage(encodeJson(FrameType.resize, 1, { cols: 9, rows: 9 }));
    else socket.onMessage(encodeJson(FrameType.hello, 0, { ...hello, token: 'x', ...first }));
  }
}

class HeldSocket implements HostSocket {
  readonly sent: Uint8Array[] = [];
  isClosed = false;
  outcome = 'nothing';
  readonly answered: Promise<void>;
  #answer: () => void = () => undefined;
  onMessage: HostSocket['onMessage'] = () => undefined;
  onClose: HostSocket['onClose'] = () => undefined;

  constructor() {
    this.answered = new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('a terminal hangs')), patienceMs);
      this.#answer = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.answered.catch(() => undefined);
  }

  send(data: Uint8Array | string): void {
    if (typeof data === 'string') throw new Error('a text at a terminal');
    this.sent.push(data.slice());
    const { type } = decodeFrame(data);
    if (type === FrameType.welcome) this.#done('welcome');
  }

  close(code: number): void {
    this.isClosed = true;
    this.#done(`closed ${code}`);
  }

  bufferedAmount(): number {
    return 0;
  }

  #done(outcome: string): void {
    if (this.outcome === 'nothing') this.outcome = outcome;
    this.#answer();
  }
}
