import fc from 'fast-check';

/** A WebSocket to a sandbox's terminals, and what is sent over it. */
export interface TerminalCall {
  kind: 'terminal';
  headers: Record<string, string>;
  /** The first message; its token is the request's. */
  hello: Record<string, unknown>;
  /** What comes once it was let in, or at once. */
  sends: ('input' | 'resize' | 'hello again')[];
  /** Does not wait to be let in. */
  isEager: boolean;
}

const handshake = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom<Record<string, string>[]>({ origin: 'https://app.example' }, {}),
  },
  fc.constantFrom<Record<string, string>[]>(
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { 'sec-websocket-protocol': 'other' },
    { 'sec-websocket-protocol': '' },
  ),
);

const which = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 36 }).map((pty) => ({ pty })) },
  {
    weight: 6,
    arbitrary: fc.constantFrom<Record<string, unknown>[]>(
      { create: { createKey: 'k' } },
      { create: { createKey: 'k', user: 'root' } },
      { create: { createKey: 'k', cwd: '/etc', envs: { BASH_ENV: '/tmp/x' }, timeoutMs: 1000 } },
    ),
  },
  fc.constantFrom<Record<string, unknown>[]>(
    {},
    { pty: 1, create: { createKey: 'k' } },
    { pty: '1' },
    { create: [] },
  ),
);

export const terminalCalls: fc.Arbitrary<TerminalCall> = fc.record({
  kind: fc.constant('terminal' as const),
  headers: handshake,
  hello: fc
    .record({
      which,
      mode: fc.constantFrom('read', 'write', 'write'),
      more: fc.constantFrom({}, {}, {}, {}, { epoch: 'x' }, { have: -1 }),
    })
    .map(({ which: at, mode, more }) => ({ ...at, mode, ...more })),
  sends: fc.subarray(['input', 'resize', 'hello again'] as const).map((list) => [...list]),
  isEager: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, fc.constant(true)),
});
