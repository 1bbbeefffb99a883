import { PermissionDeniedError } from '../errors.js';
import type { FetchLike } from './authorized-fetch.js';
import { authorizeFetch } from './authorized-fetch.js';
import type { CallOptions } from './call-options.js';
import { withDeadline } from './deadline.js';
import { readJson } from './http-error.js';
import { absoluteUrl, type SessionCredential } from './session-credential.js';

/**
 * Ends a session, and its sandbox with it.
 * @returns false when the sandbox had ended already.
 */
export async function endSession(
  credential: SessionCredential,
  fetch: FetchLike | undefined,
  options: CallOptions,
): Promise<boolean> {
  const { urls, grant } = credential.session;
  if (!grant.lifecycle?.includes('kill')) {
    throw new PermissionDeniedError(
      'This session may not kill the sandbox: its grant has no lifecycle "kill".',
    );
  }
  return withDeadline(options, 'kill', async (signal) => {
    const response = await authorizeFetch(credential, fetch)(
      absoluteUrl(urls.session),
      { method: 'DELETE', signal },
      'control',
    );
    const answer = (await readJson(response)) as { killed?: boolean } | undefined;
    return answer?.killed === true;
  });
}
