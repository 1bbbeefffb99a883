/** What a host gives to the relay, and what it gets back: the relay knows no host, no token and no envd. */

import type { Channel, PtyTarget } from '../channel/channel.js';

/** A WebSocket that a host has accepted, with what is common to all of them. */
export interface RelaySocket {
  /** Sends one binary message. Does nothing once the socket is closed. */
  send(data: Uint8Array): void;
  close(code: number, reason: string): void;
  /** Bytes that were handed to `send` and have not left yet; 0 where the host cannot tell. */
  bufferedAmount(): number;
  /** Set by the relay, once, before any message is delivered. Text messages are delivered as strings. */
  onMessage: (data: Uint8Array | string) => void;
  /** Set by the relay. Called once, whatever closed the socket. */
  onClose: () => void;
}

/** What a client says of the terminal that it asks for. */
export interface SeenTerminal {
  /** Of a new terminal: the same for each attempt to create it. */
  createKey?: string | undefined;
  /** Of one that it has been at: the space that `have` counts in. */
  epoch?: string | undefined;
  /** Output below it was received. */
  have: number;
  /** How much earlier output is of use, in bytes. */
  ringBytes: number;
}

/** What the holder of a verified token may do at the terminals of one sandbox. */
export interface RelayAccess {
  sandboxId: string;
  sessionId: string;
  subject: string;
  /** Whose terminals they are. Default: the subject's own. */
  owner?: string;
  /** The Linux user of the session's terminals, where one is set: a subject has those of each user apart. */
  user?: string;
  mode: 'read' | 'write';
  /**
   * Tells once when the session is over, with an `E2BEdgeError`: the socket is closed with its reason then (4401). Gives
   * what stops the watch.
   */
  watch(onOver: (reason: unknown) => void): () => void;
  /** Opens a terminal of the sandbox, as the session's user and with the real credential. */
  open(target: PtyTarget, seen: SeenTerminal): Promise<Channel>;
  /** Keeps the sandbox alive while somebody is attached; called at once and then every `keepAliveMs`. */
  keepAlive?(): Promise<void>;
  /** In milliseconds. Default 60 000. */
  keepAliveMs?: number;
}

/** Settings of a relay. */
export interface RelayOptions {
  /**
   * Verifies the token of a HELLO for the sandbox of the socket's URL. Rejects with an `E2BEdgeError`, which is not logged
   * here again.
   */
  authorize(token: string, sandboxId: string, trace: Readonly<Record<string, string>>): Promise<RelayAccess>;
  /** Output kept for those who come back, in bytes. Default 2 MiB. */
  ringBytes?: number;
  /** How far a terminal may run with nobody attached before what it prints is lost, in ms. Default 60 000. */
  graceMs?: number;
  /** How long an ended terminal's output and exit are kept, in milliseconds. Default 600 000. */
  tombstoneMs?: number;
  /** How long a socket may take to say HELLO, in milliseconds. Default 5 000. */
  helloTimeoutMs?: number;
  /**
   * Sockets whose token was not found good yet, of the whole relay. Default 64. One more takes the place of the one that
   * has been silent for longest.
   */
  maxPendingSockets?: number;
  /** Sockets of one session, of the whole relay. Default 8. */
  maxSocketsPerSession?: number;
  /** Sockets of one subject, of the whole relay. Default 32. */
  maxSocketsPerSubject?: number;
  /** Terminals that one session has opened, of the whole relay. Default 32; room is made as for `maxTerminalsPerSubject`. */
  maxTerminalsPerSession?: number;
  /**
   * Terminals of one subject, of the whole relay. Default 32. The oldest one that nobody is at makes room for another: its
   * output is not kept any longer.
   */
  maxTerminalsPerSubject?: number;
  /** Between two PINGs to a socket, in milliseconds. Default 15 000. */
  pingIntervalMs?: number;
  /** How long a socket may leave a PING without any answer, in milliseconds. Default 10 000. */
  pingTimeoutMs?: number;
  /** One structured event for each thing worth knowing. Never holds tokens, input or output. */
  log?(event: RelayLogEvent): void;
}

export interface RelayLogEvent {
  event: 'attach' | 'detach' | 'takeover' | 'refuse' | 'gap' | 'exit' | 'error';
  sandboxId: string;
  sessionId?: string;
  subject?: string;
  pid?: number;
  detail?: string;
  /** With `detach`: what went over the socket, in bytes, and for how long. */
  sentBytes?: number;
  receivedBytes?: number;
  durationMs?: number;
}

/** Many terminals, each with one channel to envd and any number of sockets. */
export interface Relay {
  /**
   * Takes over a socket that a host accepted for a sandbox.
   * @param trace headers of the upgrade, for what is asked on its behalf.
   */
  accept(socket: RelaySocket, sandboxId: string, trace?: Readonly<Record<string, string>>): void;
  /** Closes all sockets with 1012 and lets go of all channels. The terminals live on. */
  close(): void;
}
