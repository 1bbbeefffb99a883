/**
 * What the broker writes into the metadata of the sandboxes that it makes, to know them again. Only it writes these
 * keys: whoever could set them could make a sandbox pass for another's.
 */

import { createMarker } from '../control/create-marker.js';

/** Whose sandbox it is. */
export const subjectKey = 'e2bEdgeSubject';

/** Whether a key of metadata is the broker's own. */
export function isReservedKey(key: string): boolean {
  return /^e2b-?edge/i.test(key) || key === createMarker;
}
