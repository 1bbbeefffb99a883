import { HttpError } from '../errors.js';

/** The coding of a download by `Accept-Encoding`: the best ranked of those known. Throws 406 when none is. */
export function acceptedEncoding(header: string | undefined): 'gzip' | 'identity' {
  if (!header?.trim()) return 'identity';
  const ranks = parse(header);
  // A stable sort: among equals the client's order decides.
  const wanted = [...ranks].filter(([, q]) => q > 0).sort(([, a], [, b]) => b - a);
  for (const [coding] of wanted) {
    if (coding === 'gzip' || coding === 'identity') return coding;
    if (coding === '*' && identityAccepted(ranks)) return 'identity';
  }
  if (identityAccepted(ranks)) return 'identity';
  throw new HttpError(406, `error parsing Accept-Encoding: no acceptable encoding found, supported: gzip`);
}

/** Whether an unencoded reply is allowed, which it is unless ruled out. */
export function acceptsIdentity(header: string | undefined): boolean {
  return identityAccepted(parse(header ?? ''));
}

function identityAccepted(ranks: ReadonlyMap<string, number>): boolean {
  return (ranks.get('identity') ?? ranks.get('*') ?? 1) > 0;
}

function parse(header: string): Map<string, number> {
  const ranks = new Map<string, number>();
  for (const item of header.split(',')) {
    const [coding, ...parameters] = item.split(';').map((part) => part.trim().toLowerCase());
    const q = parameters.find((parameter) => parameter.startsWith('q='));
    const rank = q === undefined ? 1 : Number(q.slice(2));
    // Of a coding that is named twice, the first counts.
    if (coding && !ranks.has(coding)) ranks.set(coding, Number.isNaN(rank) ? 1 : rank);
  }
  return ranks;
}
