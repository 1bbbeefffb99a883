import { describe, expect, test } from 'vitest';
import { callRules, checkOptions, milliseconds } from '../../../src/transport/check-options.js';

const rules = { ...callRules, timeoutMs: milliseconds };
const checked = (options: object): void => checkOptions('commands.run', options, rules);

describe('options', () => {
  test.each([
    [
      { timeoutMs: -1 },
      'commands.run: timeoutMs is -1: it must be a number of milliseconds, or 0 for no limit.',
    ],
    [{ timeout: 60 }, 'commands.run: timeout is no option: it is timeoutMs, in milliseconds.'],
    [
      { requestTimeout: 5 },
      'commands.run: requestTimeout is no option: it is requestTimeoutMs, in milliseconds.',
    ],
  ])('%j are refused by name', (options, message) => {
    expect(() => checked(options)).toThrow(message);
  });

  test('that are not given, or not known, are let be', () => {
    expect(() => checked({ timeoutMs: undefined, colour: 'red' })).not.toThrow();
  });
});
