/** Connect's error codes, each in the place of its number less one. */
const codes: readonly string[] = [
  'canceled',
  'unknown',
  'invalid_argument',
  'deadline_exceeded',
  'not_found',
  'already_exists',
  'permission_denied',
  'resource_exhausted',
  'failed_precondition',
  'aborted',
  'out_of_range',
  'unimplemented',
  'internal',
  'unavailable',
  'data_loss',
  'unauthenticated',
];

/** The number that a code has in gRPC; 0 for what is not a code. */
export function connectCodeNumber(code: unknown): number {
  return codes.indexOf(code as string) + 1;
}
