import { InvalidArgumentError } from '../errors.js';

/** What a value has to be, in words that follow "it must be", and whether it is. */
export type Rule = readonly [must: string, holds: (value: never) => boolean];

/** A rule for each option that there is: an option that is added without one does not compile. */
export type Rules<Options> = { readonly [Name in keyof Options]-?: Rule };

/**
 * Refuses options before anything is sent. What is `undefined` was not given; names that have no rule are let be, but for
 * `timeout` and the like, which lack the `Ms` of ours: programs in plain JavaScript would lose them in silence.
 * @param what the call, for the message: `commands.run`.
 * @throws {InvalidArgumentError} the first that breaks its rule, by name.
 */
export function checkOptions<Options extends object>(
  what: string,
  options: Options,
  rules: Rules<Options>,
): void {
  if (!isObject(options)) throw refused(`${what}: the options are`, options, 'an object');
  for (const name of Object.keys(options)) {
    if (`${name}Ms` in rules && !(name in rules)) {
      throw new InvalidArgumentError(`${what}: ${name} is no option: it is ${name}Ms, in milliseconds.`);
    }
  }
  for (const name of Object.keys(rules) as (keyof Options & string)[]) {
    if (options[name] !== undefined) check(`${what}: ${name}`, options[name], rules[name]);
  }
}

/**
 * Refuses one value.
 * @param name of the argument, for the message: `files.read: path`.
 * @throws {InvalidArgumentError} it breaks the rule.
 */
export function check(name: string, value: unknown, [must, holds]: Rule): void {
  if (!holds(value as never)) throw refused(`${name} is`, value, must);
}

export const anyText: Rule = ['a string', (value) => typeof value === 'string'];
export const text: Rule = [
  'a string that is not empty',
  (value) => typeof value === 'string' && value !== '',
];
export const flag: Rule = ['true or false', (value) => typeof value === 'boolean'];
export const callback: Rule = ['a function', (value) => typeof value === 'function'];
export const abortSignal: Rule = ['an AbortSignal', (value) => 'aborted' in Object(value)];
export const milliseconds: Rule = [
  'a number of milliseconds, or 0 for no limit',
  (value) => typeof value === 'number' && value >= 0,
];
export const object: Rule = ['an object', isObject];
export const textMap: Rule = ['an object whose values are strings', isTextMap];

export function whole(min: number, max: number = Number.MAX_SAFE_INTEGER): Rule {
  const bounds = max === Number.MAX_SAFE_INTEGER ? `from ${min} on` : `from ${min} to ${max}`;
  return [
    `a whole number ${bounds}`,
    (value) => Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max,
  ];
}

export function oneOf(...allowed: readonly string[]): Rule {
  return [`one of ${allowed.join(', ')}`, (value) => allowed.includes(value)];
}

/** The rules of `CallOptions`, to be spread into those of options that extend it. */
export const callRules: { signal: Rule; requestTimeoutMs: Rule } = {
  signal: abortSignal,
  requestTimeoutMs: milliseconds,
};

/** Whether a value is an object, and no list. */
export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isTextMap(value: unknown): value is Record<string, string> {
  return isObject(value) && Object.values(value).every((entry) => typeof entry === 'string');
}

function refused(subject: string, value: unknown, must: string): InvalidArgumentError {
  return new InvalidArgumentError(`${subject} ${shown(value)}: it must be ${must}.`);
}

function shown(value: unknown): string {
  if (typeof value === 'string') {
    if (value.length > 80) return `a string of ${value.length} characters`;
    // An address may hold a password.
    return JSON.stringify(value.replace(/\/\/[^/]*@/, '//…@'));
  }
  if (Array.isArray(value)) return 'an array';
  if (value instanceof Date || typeof value === 'number' || typeof value === 'boolean') return String(value);
  return value === null ? 'null' : value === undefined ? 'missing' : `of the type ${typeof value}`;
}
