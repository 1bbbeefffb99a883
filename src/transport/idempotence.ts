import type { AnswerFrom } from './http-error.js';

/**
 * RPCs whose second execution changes nothing and answers the same. Not among them, beside those that start or send
 * something: `MakeDir` answers whether it was this call that made the directory, and a signal that came twice may reach
 * a program that handles it, or another one that has taken the process id over.
 */
const rpcs =
  /\/(process\.Process\/(List|Connect|Update)|filesystem\.Filesystem\/(Stat|ListDir|Remove|WatchDir))$/;

/** Whether a request may be executed twice without harm. */
export function isIdempotent(url: string, { method = 'GET' }: RequestInit, from: AnswerFrom): boolean {
  // A file that is written again with the same bytes is the same file.
  return method !== 'POST' || from === 'files' || (from === 'rpc' && rpcs.test(url));
}
