import type { CallOptions } from '../transport/call-options.js';
import { callRules, check, checkOptions, type Rule } from '../transport/check-options.js';

export interface MetricsOptions extends CallOptions {
  /** Default: when the sandbox was started. */
  start?: Date;
  /** Default: now. */
  end?: Date;
}

export const date: Rule = [
  'a Date from 1970 on',
  (value) => Object.prototype.toString.call(value) === '[object Date]' && (value as Date).getTime() >= 0,
];

export function checkMetricsOptions(what: string, options: MetricsOptions): void {
  checkOptions(what, options, { ...callRules, start: date, end: date });
  const { start, end } = options;
  if (start && end) check(`${what}: end`, end, ['at or after start', (value: Date) => value >= start]);
}
