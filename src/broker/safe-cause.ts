/**
 * What failed underneath, fit for a log. Errors of a `fetch` may hold the request with its headers, or its address with
 * a query: nothing is taken over but the name, the words without queries and passwords, the code, and where it was thrown.
 */
export function safeCause(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return typeof error === 'string' ? scrubbed(error) : typeof error;
  const message = scrubbed(error.message);
  const safe = new Error(message);
  safe.name = error.name;
  safe.stack = [`${error.name}: ${message}`, ...framesOf(error)].join('\n');
  const { code } = error as { code?: unknown };
  if (typeof code === 'string' || typeof code === 'number') Object.assign(safe, { code });
  if (error.cause !== undefined && depth < maxDepth) {
    Object.defineProperty(safe, 'cause', { value: safeCause(error.cause, depth + 1), configurable: true });
  }
  return safe;
}

const maxDepth = 5;

function scrubbed(message: string): string {
  return message
    .replace(/\/\/[^/\s"']*@/g, '//…@')
    .replace(/\b(https?|wss?):\/\/[^\s"')\]]*/g, (url) => url.replace(/[?#].*/, '?…'))
    .replace(/\beyJ[\w-]+\.[\w-]+\.[\w-]+/g, '[token]')
    .replace(/\be2b_[0-9a-zA-Z]+/g, '[key]');
}

function framesOf({ stack }: Error): string[] {
  return (stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
}
