import { InvalidArgumentError } from '../errors.js';

/** An address out of a session, which may be relative to the page. */
export function absoluteUrl(url: string): string {
  const base = (globalThis as { location?: { href?: string } }).location?.href;
  try {
    return new URL(url, base).href;
  } catch (cause) {
    throw new InvalidArgumentError(
      `The address "${url}" is relative, and there is no page that it could be relative to. Use an absolute one; for those of a session, give the broker its publicUrl.`,
      { code: 'invalid_session', cause },
    );
  }
}
