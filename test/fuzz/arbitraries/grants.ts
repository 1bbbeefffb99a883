import fc from 'fast-check';
import type { ExactCommand, Grant } from '../../../src/wire/session.js';
import { home } from '../support/tree.js';

/** Few prefixes, so that paths meet them: some inside others, one a link, one that does not exist. */
const prefixes = [
  '/',
  home,
  `${home}/work`,
  `${home}/work/`,
  `${home}/work/sub`,
  `${home}/work/out`,
  `${home}/workshop/../work`,
  '/srv',
  '/srv/link',
  '/tmp',
  '/none',
];
/** From where nothing that a listed command runs can be changed. */
const harmless = ['/srv', '/srv/data', '/tmp', '/srv/link'];

export const commandLines = ['npm test', 'ls', 'cat', "echo 'a b'"];
export const exactCommands: readonly ExactCommand[] = [
  { command: 'cat', stdin: true },
  { command: 'ls', cwd: '/none/deep' },
  { command: 'ls', cwd: `${home}/work/../work`, stdin: true },
  { command: 'make', envs: { LEVEL: '1' } },
  { command: 'make', cwd: '/none/deep', envs: { LEVEL: '1', OTHER: '' }, stdin: false },
];
export const users = [undefined, 'user', 'root'] as const;

const commands: fc.Arbitrary<NonNullable<Grant['commands']>> = fc.oneof(
  { weight: 1, arbitrary: fc.constant('none' as const) },
  { weight: 2, arbitrary: fc.constant('run' as const) },
  { weight: 2, arbitrary: fc.subarray([...commandLines, ...exactCommands], { minLength: 1 }) },
);

/** What an application may grant without contradicting itself. */
export const grants: fc.Arbitrary<Grant> = commands.chain((allowed) => {
  const writable = Array.isArray(allowed) ? harmless : prefixes;
  const file = fc.oneof(
    fc.record({ op: fc.constant('read' as const), prefix: fc.constantFrom(...prefixes) }),
    fc.record({ op: fc.constant('write' as const), prefix: fc.constantFrom(...writable) }),
  );
  return (
    fc
      .record(
        {
          files: fc.array(file, { maxLength: 4 }),
          commands: fc.constant(allowed),
          // Who has a shell has all commands.
          pty: fc.constantFrom('none' as const, 'read' as const, Array.isArray(allowed) ? 'read' : 'write'),
          ports: fc.subarray([80, 3000, 49_982]),
          lifecycle: fc.subarray(['info', 'extend', 'pause', 'kill'] as const).map((list) => [...list]),
          strict: fc.constantFrom(false, false, true),
          user: fc.constantFrom(...users),
        },
        { requiredKeys: ['commands', 'files'] },
      )
      // Strict mode takes a user.
      .map(({ user, strict, ...grant }) =>
        user === undefined ? grant : { ...grant, user, ...(strict && { strict }) },
      )
  );
});

/** What a page may ask for in the place of a grant. */
export const askedGrants: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: grants },
  {
    weight: 1,
    arbitrary: fc.constantFrom<unknown[]>(
      null,
      [],
      'run',
      { files: [{ op: 'read' }] },
      { files: [{ op: 'read', prefix: 'home' }] },
      { files: [{ op: 'both', prefix: '/' }] },
      { files: [null] },
      { files: { op: 'read', prefix: '/' } },
      { commands: 'all' },
      { commands: ['ls', 1] },
      { commands: [{}] },
      { commands: [null] },
      { commands: [] },
      { pty: 'admin' },
      { pty: null },
      { ports: [49983] },
      { ports: ['80'] },
      { ports: [-1, 70000, 0.5] },
      { lifecycle: ['kill', 'own'] },
      { user: 'root' },
      { user: 'root:x' },
      { user: '' },
      { strict: 'yes' },
      { admin: true },
    ),
  },
  { weight: 1, arbitrary: fc.jsonValue() as fc.Arbitrary<unknown> },
);
