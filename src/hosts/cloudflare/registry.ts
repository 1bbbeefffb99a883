/**
 * The brokers of this script. A Durable Object is made by the runtime, in an isolate of its own, and gets nothing but
 * its environment; but the script is run there as well, so what `createBroker` leaves here is there too.
 */

import type { BrokerCore } from '../../broker/broker-core.js';
import { InvalidArgumentError } from '../../errors.js';

const cores = new Map<string, BrokerCore<unknown>>();

export function registerBroker(basePath: string, core: BrokerCore<unknown>): void {
  cores.set(basePath, core);
}

/** @throws {InvalidArgumentError} code `broker_not_registered`. */
export function registeredBroker(basePath: string): BrokerCore<unknown> {
  const core = cores.get(basePath);
  if (core) return core;
  throw new InvalidArgumentError(
    `PtyHub knows no broker at "${basePath}". Call createBroker at the top level of the Worker's module, not inside fetch.`,
    { code: 'broker_not_registered' },
  );
}
