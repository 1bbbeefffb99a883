import { createHash } from 'node:crypto';
import { envdToken } from '../support/secrets.js';
import { isEnded, type LawfulSession } from '../support/session.js';
import { addresses } from '../support/world.js';
import { judgePath } from './judge-path.js';

const mostSeconds = 60;

/**
 * Judges a signed URL that a page was given: what it opens is opened without the broker.
 * @throws where it opens what the session may not use, or for longer than it may.
 */
export function judgeSigned(text: string, who: LawfulSession | undefined): void {
  const url = new URL((JSON.parse(text) as { url: string }).url);
  if (!who || isEnded(who)) throw new Error('nobody may have a signed URL');
  if (who.grant.strict) throw new Error('envd would serve it as root');
  const place = `https://49983-${who.sandboxId}.e2b.app`;
  if (url.pathname !== '/files' || ![addresses.envd, place].includes(url.origin))
    throw new Error(`signed for ${url}`);
  const {
    path = '',
    username = '',
    signature,
    signature_expiration: end = '',
  } = Object.fromEntries(url.searchParams);
  if (username !== (who.grant.user ?? '')) throw new Error('not as the pinned user');
  if (!(Number(end) <= Date.now() / 1000 + mostSeconds + 1)) throw new Error(`it lasts until ${end}`);
  const op = (['read', 'write'] as const).find((one) => {
    const input = `${path}:${one}:${username}:${envdToken(who.sandboxId)}:${end}`;
    return signature === `v1_${createHash('sha256').update(input).digest('base64').replace(/=+$/, '')}`;
  });
  if (!op) throw new Error('not the signature of what it says');
  judgePath(who, op, path, true);
}
