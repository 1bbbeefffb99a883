import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { BrokerEvent } from '../../../src/broker/broker-event.js';
import { beginDecision } from '../../../src/broker/decision.js';
import { httpRefusal, notGranted, upstreamFailed } from '../../../src/broker/refusals.js';
import { SandboxError } from '../../../src/errors.js';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** The one event of a decision. */
function logged(decide: (decision: ReturnType<typeof beginDecision>) => void): BrokerEvent {
  const events: BrokerEvent[] = [];
  const decision = beginDecision((event) => events.push(event), 'rpc');
  vi.setSystemTime(Date.now() + 30);
  decide(decision);
  expect(events).toHaveLength(1);
  return events[0] as BrokerEvent;
}

describe('a decision', () => {
  test('is logged with what is known of it by then, and how long it took', () => {
    const event = logged((decision) => {
      decision.event.subject = 'ann';
      decision.made(200);
    });
    expect(event).toEqual({
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      action: 'rpc',
      subject: 'ann',
      outcome: 'allowed',
      status: 200,
      durationMs: 30,
    });
    expect(event).not.toHaveProperty('traceparent');
  });

  test('has its caller’s trace', () => {
    const trace = {
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      tracestate: 'a=1',
    };
    const { event } = beginDecision(() => undefined, 'mint', trace);
    expect(event).toEqual({ requestId: expect.any(String), action: 'mint', traceparent: trace.traceparent });
  });

  test('is refused where it is the page’s fault, and says why', () => {
    expect(logged((decision) => decision.failed(notGranted('do it')))).toMatchObject({
      outcome: 'refused',
      status: 403,
      code: 'permission_denied',
      durationMs: 30,
    });
    const head = httpRefusal(499, 'canceled', 'gone');
    expect(logged((decision) => decision.failed(head))).not.toHaveProperty('cause');
  });

  test('has failed where it is not, with what lay behind it', () => {
    const cause = new Error('HTTP 500');
    expect(logged((decision) => decision.failed(upstreamFailed(cause)))).toMatchObject({
      outcome: 'failed',
      status: 502,
      code: 'upstream_unavailable',
      cause: expect.objectContaining({ message: 'HTTP 500' }),
    });
    const least = new SandboxError('', { code: 'broken', statusCode: 500 });
    expect(logged((decision) => decision.failed(least))).toMatchObject({ outcome: 'failed', status: 500 });
  });

  test('that failed for a reason which is not told to the page keeps it in the log', () => {
    const bug = new TypeError('a fault of ours');
    expect(logged((decision) => decision.failed(bug))).toMatchObject({
      outcome: 'failed',
      status: 500,
      code: 'internal',
      cause: bug,
    });
    // An error of the library's that has no status is nothing to show either, but its code is known.
    const inner = new SandboxError('inside', { code: 'protocol_error' });
    expect(logged((decision) => decision.failed(inner))).toMatchObject({
      outcome: 'failed',
      status: 500,
      code: 'protocol_error',
      cause: inner,
    });
  });
});
