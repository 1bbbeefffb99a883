import type { JsonObject } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { base64, codec, content, rpc } from './arbitraries.js';
import type { Call } from './calls.js';

/** What the programs do has to be the same whoever runs them. */
const scripts = [
  'true',
  'exit 3',
  'exit 255',
  'kill -9 $$',
  'kill -15 $$',
  'kill -11 $$',
  'echo out; echo err >&2',
  'printf "\\377\\376"',
  'head -c 200000 /dev/zero | tr "\\0" x',
  'sleep 0.2 & echo first; wait; echo last',
  'ln -sfn a link; ln -sfn none broken; ln -sfn loop loop',
  'mkfifo -m 644 fifo 2>/dev/null; true',
  'chmod 600 a 2>/dev/null; chmod 755 b 2>/dev/null; true',
  'touch -d 2020-01-01 a b c 2>/dev/null; true',
  'mkdir -p d/e/f; echo deep >d/e/f/g',
  'echo "$A|$B|$HOME"',
  'cat </dev/null; echo over',
  'exec no-such-program',
];

export function processCalls(scratch: string): fc.Arbitrary<Call> {
  const service = 'process.Process';
  const script = fc.constantFrom(...scripts);
  const cwd = fc.oneof(
    { weight: 5, arbitrary: fc.constant(scratch) },
    { weight: 1, arbitrary: fc.constantFrom(`${scratch}/none`, '/etc/passwd', '~nobody', `${scratch}/.`) },
  );
  const envs = fc.constantFrom({}, { A: '1' }, { A: '1', B: 'two words' }, { 'A=x': 'y' });
  const start = fc
    .record({
      script,
      cwd,
      envs,
      pty: fc.constantFrom(undefined, undefined, {}, { size: { cols: 80, rows: 24 } }),
    })
    .map(({ script: command, pty, ...process }) => ({
      process: { cmd: '/bin/sh', args: ['-c', command], ...process },
      stdin: false,
      ...(pty && { pty }),
    }));
  const other = fc.constantFrom<JsonObject>(
    { process: { cmd: 'no-such-program' }, stdin: false },
    { process: { cmd: '/tmp' }, stdin: false },
    { process: { cmd: '' }, stdin: false },
    { process: { cmd: 'a\u0000b' }, stdin: false },
    { process: { cmd: 'true', args: ['x'.repeat(140_000)] }, stdin: false },
    { process: { cmd: 'stty', args: ['size'] }, pty: { size: { cols: 70_000, rows: 2 } } },
    {},
  );
  const timeouts = fc.constantFrom<Record<string, string>>(
    ...Array.from({ length: 6 }, () => ({})),
    { 'connect-timeout-ms': 'soon' },
    { 'connect-timeout-ms': '60000' },
    { 'connect-timeout-ms': '9999999999' },
    { 'connect-timeout-ms': '99999999999' },
    { 'keepalive-ping-interval': 'x' },
    { authorization: `Basic ${base64('nobody-of-that-name:')}` },
    { authorization: `Basic ${base64('root')}` },
  );
  // What has a deadline that has passed is started all the same by envd, and so must change nothing.
  const over = fc.constantFrom({ 'connect-timeout-ms': '0' }, { 'connect-timeout-ms': '-1' });
  const harmless = fc.constant({ process: { cmd: 'true' }, stdin: false });
  const selector = fc.constantFrom<JsonObject>(
    {},
    { process: {} },
    { process: { pid: 0 } },
    { process: { pid: 4_000_000 } },
    { process: { tag: '' } },
    { process: { tag: 'none' } },
  );
  const about = (method: string, fields: JsonObject): fc.Arbitrary<Call> =>
    rpc(
      service,
      method,
      selector.map((one) => ({ ...one, ...fields })),
      timeouts,
    );
  return fc.oneof(
    { weight: 10, arbitrary: rpc(service, 'Start', start, timeouts) },
    { weight: 2, arbitrary: rpc(service, 'Start', other) },
    { weight: 1, arbitrary: rpc(service, 'Start', harmless, over) },
    { weight: 1, arbitrary: rpc(service, 'SendSignal', selector, over) },
    { weight: 1, arbitrary: about('Connect', {}) },
    { weight: 1, arbitrary: about('SendInput', { input: { stdin: base64('x') } }) },
    { weight: 1, arbitrary: about('SendInput', { input: {} }) },
    { weight: 1, arbitrary: about('SendSignal', { signal: 'SIGNAL_SIGTERM' }) },
    { weight: 1, arbitrary: about('SendSignal', {}) },
    { weight: 1, arbitrary: about('CloseStdin', {}) },
    { weight: 1, arbitrary: about('Update', { pty: { size: { cols: 1, rows: 1 } } }) },
    { weight: 1, arbitrary: rpc(service, 'List', fc.constant({})) },
  );
}

export function conversations(): fc.Arbitrary<Call> {
  const command = fc.constantFrom(['cat'], ['tr', 'a-z', 'A-Z'], ['wc', '-c'], ['sort', '-r']);
  const inputs = fc.array(content.map(base64), { maxLength: 4 });
  return fc.record({ codec, command, inputs }).map((one) => ({ kind: 'conversation', ...one }));
}
