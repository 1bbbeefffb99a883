import { InvalidArgumentError } from '../errors.js';

/** What a signature is made of; the names are those of the official package. */
export interface SignatureOptions {
  /** As it stands in the URL's query, decoded; empty where the query has none. */
  path: string;
  operation: 'read' | 'write';
  /** As it stands in the URL's query; absent where the query has none. */
  user: string | undefined;
  /** How long the signature holds, in seconds from now. Default: for ever. */
  expirationInSeconds?: number | undefined;
  /** The token of the sandbox's envd. */
  envdAccessToken?: string | undefined;
}

/** A signature, and when it ends. */
export interface Signature {
  signature: string;
  /** In seconds since 1970; null is never. */
  expiration: number | null;
}

/**
 * Signs a URL of `/files`, so that it needs no other credential (envd 0.2.0).
 * @throws {InvalidArgumentError} there is no token: the sandbox is not secured, and its URLs need no signature. Or the
 * expiration is no whole number.
 */
export async function getSignature(options: SignatureOptions): Promise<Signature> {
  const { path, operation, user, expirationInSeconds, envdAccessToken } = options;
  if (!envdAccessToken) {
    throw new InvalidArgumentError(
      'getSignature: envdAccessToken is missing: a sandbox that is not secured has none, and takes URLs without a signature.',
    );
  }
  if (expirationInSeconds !== undefined && !Number.isSafeInteger(expirationInSeconds)) {
    throw new InvalidArgumentError(
      `getSignature: expirationInSeconds is ${expirationInSeconds}: it must be a whole number of seconds from now.`,
    );
  }
  const expiration =
    expirationInSeconds === undefined ? null : Math.floor(Date.now() / 1000) + expirationInSeconds;
  const parts = [path, operation, user ?? '', envdAccessToken, ...(expiration === null ? [] : [expiration])];
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(parts.join(':')));
  const base64 = btoa(String.fromCharCode(...new Uint8Array(digest)));
  return { signature: `v1_${base64.replace(/=+$/, '')}`, expiration };
}
