/** One decision of the broker, from its beginning until it goes to the log. */

import { isE2BEdgeError } from '../errors.js';
import type { BrokerEvent } from './broker-event.js';
import { asRefusal } from './error-response.js';
import type { Trace } from './trace.js';

export interface Decision {
  event: Pick<BrokerEvent, 'requestId' | 'action'> & Partial<BrokerEvent>;
  /** Logs it. */
  made(status: number): void;
  /** Logs it, as `refused` or `failed` by the error. */
  failed(error: unknown): void;
}

export function beginDecision(
  write: (event: BrokerEvent) => void,
  action: BrokerEvent['action'],
  trace: Trace = {},
): Decision {
  const startedAt = Date.now();
  const event: Decision['event'] = { requestId: crypto.randomUUID(), action };
  if (trace.traceparent !== undefined) event.traceparent = trace.traceparent;

  const log = (outcome: BrokerEvent['outcome'], status: number, more: Partial<BrokerEvent> = {}): void =>
    write({ ...event, ...more, outcome, status, durationMs: Date.now() - startedAt });

  return {
    event,
    made: (status) => log('allowed', status),
    failed: (error) => {
      const { statusCode = 500, cause, ...refusal } = asRefusal(error);
      const code = isE2BEdgeError(error) ? error.code : refusal.code;
      const more: Partial<BrokerEvent> = { code, ...(cause !== undefined && { cause }) };
      log(statusCode >= 500 ? 'failed' : 'refused', statusCode, more);
    },
  };
}
