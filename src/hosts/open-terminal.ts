/** Opens a terminal for a relay: one whose output is kept in the sandbox, where that was asked for, or a plain one. */

import type { PtySession } from '../broker/pty-access.js';
import type { Channel, PtyCreate, PtyTarget } from '../channel/channel.js';
import {
  createDurableChannel,
  type DurableChannelOptions,
  openDurableChannel,
} from '../channel/durable/durable-channel.js';
import { defaultMaxLogBytes, durableTerminalEnvd } from '../channel/durable/start-durable.js';
import { openLiveChannel } from '../channel/live-channel.js';
import { isE2BEdgeError, NotFoundError } from '../errors.js';
import type { SeenTerminal } from '../relay/relay-api.js';
import type { FetchLike } from '../transport/authorized-fetch.js';
import { Connection } from '../transport/connection.js';
import { fixedCredential } from '../transport/credential.js';

export async function openTerminal(
  session: PtySession,
  target: PtyTarget,
  seen: SeenTerminal,
): Promise<Channel> {
  const { interrupt } = session;
  // Who was at it before comes back by itself.
  if (seen.epoch !== undefined) session.nobodyAsks();
  const connection = connectionOf(session, session.fetch);
  const kept =
    'pid' in target
      ? await takeUpKept(session, connection, target.pid, seen)
      : await createKept(session, connection, target.create, seen);
  const channel = kept ?? (await openLiveChannel(connection, target, { interrupt }));
  session.nobodyAsks();
  return channel;
}

/** The names of logs; they become part of a path. */
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function connectionOf({ claims, envdVersion, baseUrl }: PtySession, fetch: FetchLike): Connection {
  return new Connection({
    sandboxId: claims.sbx,
    envdVersion,
    baseUrl,
    // The broker puts the real credential on.
    credential: fixedCredential({}),
    client: { fetch },
    streamingUploads: false,
  });
}

function keptOptions(session: PtySession): DurableChannelOptions {
  return { interrupt: session.interrupt, logs: connectionOf(session, session.logs.fetch) };
}

/** Undefined where a terminal whose output is not kept will do. */
async function createKept(
  session: PtySession,
  connection: Connection,
  { durable, maxLogBytes = defaultMaxLogBytes, ...start }: PtyCreate,
  { createKey = crypto.randomUUID() }: SeenTerminal,
): Promise<Channel | undefined> {
  if (!durable) return undefined;
  const options = keptOptions(session);
  try {
    connection.requireEnvd(durableTerminalEnvd, 'pty.create with durable');
    const id = await session.logs.idFor(createKey);
    const kept = { ...start, id, maxLogBytes, tag: await session.logs.mark() };
    const { user } = session.claims.g;
    return await createDurableChannel(connection, kept, options).catch((error: unknown) => {
      // An attempt before this one has started it, and its answer was lost.
      if (isE2BEdgeError(error, 'durable_exists'))
        return openDurableChannel(connection, { id, user }, options);
      throw error;
    });
  } catch (error) {
    const cannot = isE2BEdgeError(error) && /^(durable_unavailable|envd_too_old)$/.test(error.code);
    if (durable === 'auto' && cannot) return undefined;
    throw error;
  }
}

/** Undefined where the output is not kept. */
async function takeUpKept(
  session: PtySession,
  connection: Connection,
  pid: number,
  { epoch = '', have, ringBytes }: SeenTerminal,
): Promise<Channel | undefined> {
  const kept = await session.logs.idOf(pid);
  const id = kept ?? (uuid.test(epoch) ? epoch : undefined);
  if (id === undefined) return undefined;
  const log = { id, user: session.claims.g.user };
  try {
    const channel = await openDurableChannel(connection, log, keptOptions(session), (length) =>
      Math.max(0, (id === epoch ? Math.min(have, length) : length) - ringBytes / 2),
    );
    // Of one that has ended, only who was at it knows the log's name.
    if (channel.pid === pid) return channel;
    channel.close();
  } catch (error) {
    if (kept !== undefined || !(error instanceof NotFoundError)) throw error;
  }
  return undefined;
}
