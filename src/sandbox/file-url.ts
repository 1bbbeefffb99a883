import { InvalidArgumentError } from '../errors.js';
import type { CallOptions } from '../transport/call-options.js';
import { callRules, checkOptions, whole } from '../transport/check-options.js';
import { envdVersions, isVersionAtLeast } from '../transport/version.js';
import { getSignature } from '../wire/file-signature.js';
import { checkPath } from './file-options.js';
import { linuxUser } from './process-rules.js';

export interface FileUrlOptions extends CallOptions {
  /**
   * The Linux user whose home a relative path is below, and who gets what is uploaded. Default: the template's. With a
   * session it is the session's user, whatever is given.
   */
  user?: string;
  /** How long the URL works, in seconds from now. Default: for ever; with a session at most 60, which is its default. */
  useSignatureExpiration?: number;
}

/** Where a sandbox's files are, and what signs for them. */
export interface FileUrlTarget {
  /** envd's own address, without a slash at the end: whoever opens the URL cannot add headers. */
  baseUrl: string;
  envdVersion: string;
  /** Absent for a sandbox that is not secured. */
  envdAccessToken: string | undefined;
}

export function checkUrlOptions(what: string, options: FileUrlOptions): void {
  checkOptions(what, options, { ...callRules, user: linuxUser, useSignatureExpiration: whole(0) });
}

/**
 * The URL at which anybody can read (`GET`) or write (`POST`) one file. Without a path, the form that is sent names the
 * file; that is for writing alone.
 * @param what the call, for messages: `sandbox.downloadUrl`.
 */
export async function signedFileUrl(
  { baseUrl, envdVersion, envdAccessToken }: FileUrlTarget,
  what: string,
  operation: 'read' | 'write',
  path: string | undefined,
  options: FileUrlOptions = {},
): Promise<string> {
  checkUrlOptions(what, options);
  if (operation === 'read' || (path !== undefined && path !== '')) checkPath(what, path);
  const {
    user = isVersionAtLeast(envdVersion, envdVersions.defaultUser) ? undefined : 'user',
    useSignatureExpiration,
  } = options;
  const query = new URLSearchParams();
  if (user !== undefined) query.set('username', user);
  if (path) query.set('path', path);
  if (envdAccessToken) {
    const { signature, expiration } = await getSignature({
      path: path ?? '',
      operation,
      user,
      expirationInSeconds: useSignatureExpiration,
      envdAccessToken,
    });
    query.set('signature', signature);
    if (expiration !== null) query.set('signature_expiration', String(expiration));
  } else if (useSignatureExpiration !== undefined) {
    throw new InvalidArgumentError(
      `${what}: useSignatureExpiration is for secured sandboxes: this one takes URLs without a signature, which do not end.`,
    );
  }
  const url = `${baseUrl}/files?${query}`;
  return url.endsWith('?') ? url.slice(0, -1) : url;
}
