import { isE2BEdgeError } from '../errors.js';
import type { Scope } from './exchange.js';

/** What it is that nothing answers: E2B's edge says the same of a sandbox that sleeps as of one that is gone. */
export async function explainAbsence<Env>(
  { directory, credentials }: Scope<Env>,
  sandboxId: string,
  error: unknown,
): Promise<unknown> {
  const isAbsent = isE2BEdgeError(error, 'sandbox_not_found') && error.statusCode === 502;
  return isAbsent ? directory.absence(sandboxId, credentials) : error;
}
