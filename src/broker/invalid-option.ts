import { InvalidArgumentError } from '../errors.js';

/** One of the broker's options cannot be used, and why not. */
export function invalidOption(name: string, what: string): InvalidArgumentError {
  return new InvalidArgumentError(`The broker's option \`${name}\` is wrong: ${what}.`, {
    code: 'invalid_option',
  });
}
