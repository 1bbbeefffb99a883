import { PtyClose } from '../wire/pty-close.js';
import { decodeFrame, FrameType } from '../wire/pty-frame.js';
import { encodeJson, type Refusal } from '../wire/pty-messages.js';
import type { HostSocket } from './host-socket.js';

/** A terminal's socket that can be ended in good order, to be opened again elsewhere. */
export interface PassingSocket extends HostSocket {
  /** Takes no input any more, waits for the fate of what was taken, and closes: the client comes again at once. */
  handOver(): void;
}

/** A program that does not read can leave input without a fate for ever. */
const patienceMs = 5_000;

const handedOver: Refusal = {
  code: 'handed_over',
  message: 'This relay has done its share: another one goes on.',
  retryable: true,
};

/** @param onEnd is called once the socket is closed, whoever closed it. */
export function passingSocket(inner: HostSocket, onEnd: () => void): PassingSocket {
  /** Where the input that the relay was given ends, and up to where its fate is known. */
  let taken = 0;
  let settled = 0;
  let welcomed = false;
  let leaving = false;
  let open = true;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const leave = (): void => {
    if (!open) return;
    inner.send(encodeJson(FrameType.error, taken, handedOver));
    socket.close(PtyClose.goingAway, '');
  };
  const leaveIfSettled = (): void => {
    if (leaving && welcomed && settled >= taken) leave();
  };

  const socket: PassingSocket = {
    onMessage: () => undefined,
    onClose: () => undefined,
    bufferedAmount: () => inner.bufferedAmount(),
    close(code, reason) {
      inner.close(code, reason);
      end();
    },
    send(data) {
      inner.send(data);
      if (typeof data === 'string') return;
      const { type, offset } = decodeFrame(data);
      if (type === FrameType.welcome) welcomed = true;
      if (type === FrameType.ack) settled = offset;
      leaveIfSettled();
    },
    handOver() {
      if (leaving || !open) return;
      leaving = true;
      timer = setTimeout(leave, patienceMs);
      leaveIfSettled();
    },
  };

  function end(code?: number, reason?: string): void {
    if (!open) return;
    open = false;
    clearTimeout(timer);
    socket.onClose(code, reason);
    onEnd();
  }

  inner.onClose = end;
  inner.onMessage = (data) => {
    const input = inputEnd(data);
    if (input !== undefined) {
      if (leaving) return;
      taken = Math.max(taken, input);
    }
    socket.onMessage(data);
  };
  return socket;
}

/** Where the input of a message ends; undefined of any other message, which is the relay's to judge. */
function inputEnd(data: Uint8Array | string): number | undefined {
  try {
    const { type, offset, payload } = decodeFrame(data);
    return type === FrameType.in ? offset + payload.length : undefined;
  } catch {
    return undefined;
  }
}
