import type { Hello } from '../wire/pty-messages.js';
import type { PtyTarget } from './channel.js';
import type { SocketChannelOptions } from './socket-options.js';
import type { SocketOutput } from './socket-output.js';
import type { SocketSharing } from './socket-sharing.js';

/** What a client is at the moment of an attempt. */
export interface HelloState {
  token: string;
  clientId: string;
  /** The same for each attempt, so that a drop before WELCOME opens no second terminal. */
  createKey: string;
  /** Of the terminal, once it is known. */
  pid: number | undefined;
  sharing: SocketSharing;
  output: SocketOutput;
}

const defaultWindowBytes: number = 256 * 1024;

/** The HELLO of an attempt: who the client is, which terminal it wants, and what it has of it. */
export function helloFor({ target, windowBytes }: SocketChannelOptions, state: HelloState): Hello {
  const { token, clientId, sharing, output } = state;
  return {
    token,
    clientId,
    ...wanted(target, state),
    ...(output.epoch !== undefined && { epoch: output.epoch }),
    have: output.received,
    acked: output.acked,
    window: windowBytes ?? defaultWindowBytes,
    mode: sharing.wish,
    cols: sharing.size.cols,
    rows: sharing.size.rows,
  };
}

/** A terminal that was created is asked for by its process id from then on. */
function wanted(target: PtyTarget, { pid, createKey }: HelloState): Pick<Hello, 'pty' | 'create'> {
  if ('create' in target && pid === undefined) {
    const { size: _size, ...create } = target.create;
    return { create: { createKey, ...create } };
  }
  return { pty: pid ?? ('pid' in target ? target.pid : 0) };
}
