import { type Rule, textMap, whole } from '../transport/check-options.js';

/** Where C's strings end: nothing that is handed to a program can have one inside. */
const nul = '\0';

/** A command line. It may be empty, as for the official SDK. */
export const commandLine: Rule = [
  'a string without NUL characters',
  (value) => typeof value === 'string' && !(value as string).includes(nul),
];

export const directory: Rule = [
  'a path that is not empty, without NUL characters',
  (value) => value !== '' && commandLine[1](value),
];

/** A Linux user. It travels as the name before a colon. */
export const linuxUser: Rule = [
  'the name of a Linux user',
  (value) => typeof value === 'string' && /^[^:\0\n]+$/.test(value),
];

export const environment: Rule = [
  'an object whose values are strings, with names that are not empty and have no "=", and no NUL characters',
  (value) =>
    textMap[1](value) &&
    Object.entries(value as Record<string, string>).every(
      ([name, text]) => name !== '' && !/[=\0]/.test(name) && !text.includes(nul),
    ),
];

export const processId: Rule = whole(1, 0xffff_ffff);

/** A size of a terminal, in one direction. */
export const cells: Rule = whole(1, 0xffff);
