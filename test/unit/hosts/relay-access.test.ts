import { create, toBinary } from '@bufbuild/protobuf';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { BrokerCore } from '../../../src/broker/broker-core.js';
import type { BrokerEvent } from '../../../src/broker/broker-event.js';
import { createLimits } from '../../../src/broker/limits.js';
import type { PtySession } from '../../../src/broker/pty-access.js';
import { sessionRevoked } from '../../../src/broker/refusals.js';
import { createBrokerRelay } from '../../../src/hosts/relay-access.js';
import { encodeEnvelope } from '../../../src/wire/envelope.js';
import { StartResponseSchema } from '../../../src/wire/gen/process/process_pb.js';
import { MemorySocket } from '../relay/support/memory-socket.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Answers a start as envd does, and says nothing more. */
function started(): Response {
  const message = create(StartResponseSchema, { event: { event: { case: 'start', value: { pid: 7 } } } });
  const body = new ReadableStream({
    start: (controller) => controller.enqueue(encodeEnvelope(0, toBinary(StartResponseSchema, message))),
  });
  return new Response(body, { headers: { 'content-type': 'application/connect+proto' } });
}

test('a terminal is left when its session is revoked, and the log has it', async () => {
  const events: BrokerEvent[] = [];
  let isRevoked = false;
  const session: Partial<PtySession> = {
    claims: { sub: 'ann', sid: 's1', sbx: 'i1', g: {} as never, auth_time: 0 },
    mode: 'write',
    life: {
      until: Date.now() + 3_600_000,
      check: async () => {
        if (isRevoked) throw sessionRevoked();
      },
    },
    envdVersion: '0.6.13',
    baseUrl: 'http://broker.invalid/envd/i1',
    fetch: async () => started(),
    nobodyAsks: () => undefined,
  };
  const core: Partial<BrokerCore<undefined>> = {
    limits: createLimits(),
    authorizePty: async () => session as PtySession,
    log: (event) => events.push(event),
  };
  const relay = createBrokerRelay(core as BrokerCore<undefined>, {});
  const socket = new MemorySocket();
  relay.accept(socket, 'i1');
  socket.hello({ token: 'hidden', create: { createKey: 'key' } });
  await vi.advanceTimersByTimeAsync(10);
  expect(socket.welcome.pty).toBe(7);
  isRevoked = true;
  await vi.advanceTimersByTimeAsync(24_000);
  socket.ack(0);
  await vi.advanceTimersByTimeAsync(6_000);
  expect(socket.closeCode).toBe(4401);
  expect(events).toMatchObject([
    { action: 'terminal', outcome: 'allowed', terminal: { event: 'attach', pid: 7 }, subject: 'ann' },
    { action: 'terminal', outcome: 'allowed', terminal: { event: 'detach', pid: 7 }, sessionId: 's1' },
  ]);
  expect(JSON.stringify(events)).not.toContain('hidden');
  relay.close();
});
