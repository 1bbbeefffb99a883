/** One decision of the broker, from its beginning until it goes to the log. */

import { isE2BEdgeError } from '../errors.js';
import type { BrokerEvent } from './broker-event.js';
import { asRefusal } from './error-response.js';

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
  headers?: Headers,
): Decision {
  const startedAt = Date.now();
  const trace = headers?.get('traceparent');
  const event: Decision['event'] = { requestId: crypto.randomUUID(), action };
  if (trace && /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.test(trace)) event.traceparent = trace;

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
