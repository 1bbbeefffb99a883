import fc from 'fast-check';
import { askedGrants, commandLines, exactCommands } from './grants.js';
import { paths } from './paths.js';
import { type PreviewCall, previewCalls } from './previews.js';
import { sessionCalls } from './sessions.js';
import { type TerminalCall, terminalCalls } from './terminals.js';

/** What a page wants, before it is made wrong. */
export type Call =
  | { kind: 'rpc'; procedure: string; codec: 'proto' | 'json'; message: Record<string, unknown> }
  | { kind: 'download'; path: string }
  | { kind: 'upload'; path: string; form: boolean; name: string }
  | { kind: 'session'; method: string; path: string; body: unknown }
  | { kind: 'plain'; method: string; path: string }
  | { kind: 'join'; grant: unknown; invitation: 'good' | 'used' | 'forged' | 'session' }
  | PreviewCall
  | TerminalCall;

const codec = fc.constantFrom('proto' as const, 'json' as const);
/** All that are started before a case begins, and some that never were. */
const pid = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 12 }) },
  { weight: 2, arbitrary: fc.integer({ min: 13, max: 36 }) },
  fc.constantFrom(0, 99, 4294967295),
);
const selector = fc.oneof(
  { weight: 9, arbitrary: pid.map((value) => ({ process: { pid: value } })) },
  fc.constantFrom<Record<string, unknown>[]>(
    { process: { tag: 'mine' } },
    { process: { tag: 'e2b-edge:mine' } },
    { process: {} },
    {},
  ),
);
const input = fc.constantFrom({ stdin: 'bHM=' }, { pty: 'bHM=' }, {});

const shell = fc
  .oneof(
    { weight: 4, arbitrary: fc.constantFrom(...commandLines, 'make') },
    fc.constantFrom('ls; id', 'npm test ', 'id'),
  )
  .map((line) => ({ cmd: '/bin/bash', args: ['-l', '-c', line] }));
const listed = fc.constantFrom(...exactCommands).map(({ command, cwd, envs }) => ({
  cmd: '/bin/bash',
  args: ['-l', '-c', command],
  ...(cwd !== undefined && { cwd }),
  ...(envs && { envs }),
}));
const config = fc
  .record({
    base: fc.oneof(
      { weight: 6, arbitrary: shell },
      { weight: 3, arbitrary: listed },
      fc.constantFrom(
        { cmd: '/bin/sh', args: ['-l', '-c', 'ls'] },
        { cmd: '/bin/bash', args: ['-c', 'ls'] },
        { cmd: '/bin/bash', args: ['-l', '-c', 'ls', 'more'] },
        { cmd: 'ls', args: [] },
        { cmd: '', args: [] },
      ),
    ),
    more: fc.oneof(
      { weight: 4, arbitrary: fc.constant({}) },
      fc.record({ cwd: fc.oneof(fc.constantFrom('', '/tmp', '~'), paths) }),
      fc.record({ envs: fc.constantFrom({ BASH_ENV: '/tmp/x' }, { PATH: '/tmp' }, { '': '' }) }),
    ),
  })
  .map(({ base, more }) => ({ ...base, ...more }));
const start = fc.record(
  {
    process: config,
    pty: fc.constantFrom({ size: { cols: 80, rows: 24 } }, {}),
    tag: fc.constantFrom('mine', 'e2b-edge:mine', '_system', ''),
    stdin: fc.boolean(),
  },
  { requiredKeys: ['process'] },
);

function rpc(procedure: string, message: fc.Arbitrary<Record<string, unknown>>): fc.Arbitrary<Call> {
  return fc.record({ kind: fc.constant('rpc' as const), procedure: fc.constant(procedure), codec, message });
}

const atPath = paths.map((path) => ({ path }));
const watched = fc.record({ path: paths, recursive: fc.boolean(), includeEntry: fc.boolean() });

const rpcs: fc.Arbitrary<Call> = fc.oneof(
  { weight: 5, arbitrary: rpc('process.Process/Start', start) },
  { weight: 2, arbitrary: rpc('process.Process/Connect', selector) },
  {
    weight: 2,
    arbitrary: rpc(
      'process.Process/SendInput',
      fc.tuple(selector, input).map(([at, data]) => ({ ...at, input: data })),
    ),
  },
  {
    weight: 1,
    arbitrary: rpc(
      'process.Process/SendSignal',
      selector.map((at) => ({ ...at, signal: 'SIGNAL_SIGKILL' })),
    ),
  },
  {
    weight: 1,
    arbitrary: rpc(
      'process.Process/Update',
      selector.map((at) => ({ ...at, pty: { size: { cols: 9, rows: 9 } } })),
    ),
  },
  { weight: 1, arbitrary: rpc('process.Process/CloseStdin', selector) },
  { weight: 1, arbitrary: rpc('process.Process/List', fc.constant({})) },
  { weight: 3, arbitrary: rpc('filesystem.Filesystem/Stat', atPath) },
  {
    weight: 2,
    arbitrary: rpc('filesystem.Filesystem/ListDir', fc.record({ path: paths, depth: fc.nat(9) })),
  },
  { weight: 1, arbitrary: rpc('filesystem.Filesystem/WatchDir', watched) },
  { weight: 1, arbitrary: rpc('filesystem.Filesystem/MakeDir', atPath) },
  { weight: 2, arbitrary: rpc('filesystem.Filesystem/Remove', atPath) },
  {
    weight: 3,
    arbitrary: rpc('filesystem.Filesystem/Move', fc.record({ source: paths, destination: paths })),
  },
  { weight: 1, arbitrary: rpc('filesystem.Filesystem/CreateWatcher', watched) },
  { weight: 1, arbitrary: rpc('filesystem.Filesystem/GetWatcherEvents', fc.constant({ watcherId: 'w1' })) },
);

const uploads: fc.Arbitrary<Call> = fc.record({
  kind: fc.constant('upload' as const),
  path: paths,
  form: fc.boolean(),
  name: fc.oneof(paths, fc.constantFrom('x"; filename="/etc/passwd', 'x\r\ncontent-type: text/html')),
});

const methods = fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS', 'PROPFIND');
const inside = [
  ...[
    'init',
    'envs',
    'metrics',
    'freeze',
    'unfreeze',
    'fsfreeze',
    'fsthaw',
    'collapse',
    'upgrade',
    'files/compose',
  ],
  ...[
    '',
    'files/',
    'health/',
    'process.Process/',
    'process.Process/StreamInput',
    'grpc.reflection.v1.ServerReflection/X',
  ],
  ...[
    '..',
    '../sandboxbob/files',
    '%2e%2e/envs',
    'x/..%2fenvs',
    'health/../envs',
    'health%00',
    '/envs',
    'envs?x',
    'files%3fpath=/etc',
  ],
  ...[
    'process.Process/start',
    'process.process/Start',
    'process.Process%2FStart',
    'process.Process/Start/',
    'process.Process//Start',
  ],
];
const plains: fc.Arbitrary<Call> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('plain' as const),
      method: methods,
      path: fc.constantFrom(...inside).map((path) => `/envd/:sandbox/${path}`),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('plain' as const),
      method: methods,
      path: fc.constantFrom(
        '/envd/:sandbox/health',
        '/envd/:sandbox',
        '/pty/:sandbox',
        '/ports/:sandbox/80/',
        '/ports/:sandbox/80',
        '/ports/:sandbox/49983/envs',
        '/.well-known/jwks.json',
        '/',
        '/sessions/',
        '/sessions/refresh/',
        '/sessions/:id/x',
        '/envd',
        '/envd//files',
      ),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('plain' as const), method: methods, path: fc.webPath() }),
  },
  {
    weight: 2,
    arbitrary: fc.constant({ kind: 'plain', method: 'GET', path: '/envd/:sandbox/health' } as const),
  },
);

const joins: fc.Arbitrary<Call> = fc.record({
  kind: fc.constant('join' as const),
  grant: fc.oneof(fc.constant(undefined), askedGrants),
  invitation: fc.constantFrom('good', 'used', 'forged', 'session'),
});

export const calls: fc.Arbitrary<Call> = fc.oneof(
  { weight: 4, arbitrary: previewCalls },
  { weight: 1, arbitrary: terminalCalls },
  { weight: 1, arbitrary: joins },
  { weight: 10, arbitrary: rpcs },
  { weight: 3, arbitrary: paths.map((path) => ({ kind: 'download', path }) as const) },
  { weight: 3, arbitrary: uploads },
  { weight: 3, arbitrary: sessionCalls },
  { weight: 2, arbitrary: plains },
);
