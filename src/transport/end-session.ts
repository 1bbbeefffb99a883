import { PermissionDeniedError } from '../errors.js';
import type { CallOptions } from './call-options.js';
import { Caller } from './caller.js';
import type { ClientOptions } from './client-options.js';
import { readJson } from './http-error.js';
import { absoluteUrl, type SessionCredential } from './session-credential.js';

/**
 * Ends a session, and its sandbox with it.
 * @returns false when the sandbox had ended already.
 */
export async function endSession(
  credential: SessionCredential,
  client: ClientOptions,
  options: CallOptions,
): Promise<boolean> {
  const { urls, grant, sandboxId } = credential.session;
  if (!grant.lifecycle?.includes('kill')) {
    throw new PermissionDeniedError(
      'This session may not kill the sandbox: its grant has no lifecycle "kill".',
    );
  }
  const url = absoluteUrl(urls.session);
  const caller = new Caller({ baseUrl: url, credential, client, sandboxId });
  return caller.run({ ...options, operation: 'sandbox.kill' }, async (fetch, signal) => {
    const answer = (await readJson(await fetch(url, { method: 'DELETE', signal }, 'control'))) as
      | { killed?: boolean }
      | undefined;
    return answer?.killed === true;
  });
}
