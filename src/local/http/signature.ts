import { createHash, timingSafeEqual } from 'node:crypto';

/** Compares secrets in a time that tells nothing about where they differ. */
export function sameSecret(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

/** What a signed URL carries, and the request it was made for. */
export interface SignedRequest {
  readonly method: 'GET' | 'POST';
  readonly query: URLSearchParams;
}

/** What is wrong with the signature of a `/files` URL under this token; `undefined` when it holds. */
export function signatureFault(request: SignedRequest, token: string): string | undefined {
  const { query } = request;
  const signature = query.get('signature');
  if (signature === null) return 'missing signature query parameter';
  if (!sameSecret(signature, expected(request, token))) return 'invalid signature';
  const expiration = query.get('signature_expiration');
  if (expiration !== null && !(Number(expiration) >= Math.floor(Date.now() / 1000))) {
    return 'signature is already expired';
  }
  return undefined;
}

function expected({ method, query }: SignedRequest, token: string): string {
  const parts = [
    query.get('path') ?? '',
    method === 'GET' ? 'read' : 'write',
    query.get('username') ?? '',
    token,
    ...(query.has('signature_expiration') ? [query.get('signature_expiration')!] : []),
  ];
  const digest = createHash('sha256').update(parts.join(':')).digest('base64');
  return `v1_${digest.replace(/=+$/, '')}`;
}
