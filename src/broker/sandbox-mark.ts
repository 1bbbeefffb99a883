/**
 * What the broker writes into the metadata of the sandboxes that it makes, to know them again. Only it writes these
 * keys: whoever could set them could make a sandbox pass for another's.
 */

/** Whose sandbox it is. The issuer keeps the users of two applications apart that share a team. */
export interface SandboxMark {
  subject: string;
  issuer: string;
}

const subjectKey = 'e2bEdgeSubject';
const issuerKey = 'e2bEdgeIssuer';
const templateKey = 'e2bEdgeTemplate';
const reuseKey = 'e2bEdgeReuse';
const endKey = 'e2bEdgeEnd';

/** Whether a key of metadata is the broker's own. */
export function isReservedKey(key: string): boolean {
  return /^e2b-?edge/i.test(key);
}

function ownMark({ subject, issuer }: SandboxMark): Record<string, string> {
  return { [subjectKey]: subject, [issuerKey]: issuer };
}

/** The mark of one that is made for a single session. */
export function newMark(mark: SandboxMark, template: string): Record<string, string> {
  return { ...ownMark(mark), [templateKey]: template };
}

/** The mark of the one that is found again, by the name that the application gave it. */
export function reuseMark(mark: SandboxMark, reuse: true | string): Record<string, string> {
  return { ...ownMark(mark), [reuseKey]: reuse === true ? 'own' : `named:${reuse}` };
}

/** The mark of those that end when their subject's sessions are revoked. */
export function endMark(mark: SandboxMark): Record<string, string> {
  return { ...ownMark(mark), [endKey]: 'session' };
}

/** Whether metadata has all of a mark. */
export function isMarked(
  metadata: Record<string, string> | undefined,
  mark: Record<string, string>,
): boolean {
  return Object.entries(mark).every(([key, value]) => metadata?.[key] === value);
}
