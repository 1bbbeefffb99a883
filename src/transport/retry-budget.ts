/** So many retries are free for each server; then one for every ten calls that succeed. */
const freeRetries = 100;
const perSuccess = 0.1;

/** How many servers are kept in mind: each sandbox is one, and most are never heard of again. */
const mostServers = 1_000;

/** What has been spent, by the server's origin. Those that owe nothing are not kept. */
const spent: Map<string, number> = /*@__PURE__*/ new Map();

/**
 * Takes one retry from what a server may be burdened with: without a bound, an outage would meet as many times the load
 * as there are attempts. It is shared by all clients of this program, because it is the server that is to be spared.
 * @returns false where the budget is used up.
 */
export function takeRetry(origin: string): boolean {
  const now = spent.get(origin) ?? 0;
  if (now + 1 > freeRetries) return false;
  if (now === 0 && spent.size >= mostServers) spent.delete(spent.keys().next().value as string);
  spent.set(origin, now + 1);
  return true;
}

/** A call succeeded: the server is up to a little more. */
export function giveBack(origin: string): void {
  const now = spent.get(origin);
  if (now === undefined) return;
  if (now > perSuccess) spent.set(origin, now - perSuccess);
  else spent.delete(origin);
}
