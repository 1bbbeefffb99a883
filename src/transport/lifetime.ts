import type { Rule } from './check-options.js';

/** The longest life that can be asked for, in milliseconds. */
export const mostLifetimeMs = 86_400_000;

/**
 * How long a sandbox lives. Less than a second is nearly always a number of seconds, which would end the sandbox before
 * it is of use.
 */
export const lifetime: Rule = [
  'a number of milliseconds (not seconds) from 1000 to 86400000, which is 24 hours',
  (value) => typeof value === 'number' && value >= 1000 && value <= mostLifetimeMs,
];

/** The same for a sandbox that there is, where 0 has a meaning of its own. */
export function lifetimeOrZero(meaning: string): Rule {
  return [`0, which ${meaning}, or ${lifetime[0]}`, (value) => value === 0 || lifetime[1](value)];
}
