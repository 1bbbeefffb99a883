/**
 * The key of the metadata entry by which a sandbox is found again when the answer of its creation was lost. Its value
 * is the idempotency key.
 */
export const createMarker = 'e2b-edge-create';
