import type { Call } from './calls.js';
import type { Comparable } from './comparable.js';
import { wordings } from './wordings.js';

/** A difference that is meant, or that cannot be helped. */
export interface KnownDifference {
  readonly name: string;
  readonly reason: string;
  /** Whether it accounts for all of the difference between these two answers. */
  explains(call: Call, real: Comparable, local: Comparable): boolean;
}

/** Every difference between envd and the local server that the test accepts, beside what errors are worded like. */
const others: readonly KnownDifference[] = [
  {
    name: '404 and 405 are told in JSON',
    reason: 'envd answers with Go’s plain text or nothing; every error here has the same form',
    explains: (_call, real, local) =>
      real.status === local.status &&
      (real.status === 404 || real.status === 405) &&
      ['', '404 page not found\n'].includes(textOf(real) ?? 'other') &&
      real.headers.allow === local.headers.allow &&
      (local.headers['content-type'] ?? '').startsWith('application/json'),
  },
  {
    name: 'programs are started without nice and ionice',
    reason:
      'they cost two more program starts each, and do nothing where nobody else competes; so a missing program is ' +
      'told by the shell, and an empty name is status 126',
    explains: (_call, real, local) =>
      JSON.stringify(real.body).includes('/usr/bin/nice: ') &&
      JSON.stringify(local.body).includes('/bin/sh: 1: exec: ') &&
      /exit status 12[67]/.test(JSON.stringify(local.body)),
  },
  {
    name: 'a start without a process is refused',
    reason: 'envd runs a program without a name, which fails with 127 and says nothing of the mistake',
    explains: (_call, real, local) =>
      JSON.stringify(real.body).includes("/usr/bin/nice: ''") &&
      ['process is required', 'zero-length'].some((words) => local.error?.message.includes(words)),
  },
  {
    name: 'a deadline that has passed comes before other mistakes',
    reason: 'nothing is done for a call that is over; envd looks at it, and even starts the process',
    explains: (call, _real, local) =>
      call.kind === 'rpc' &&
      Number(call.headers['connect-timeout-ms']) <= 0 &&
      local.error?.code === 'deadline_exceeded',
  },
  {
    name: 'what envd started after its deadline is listed',
    reason: 'the same: it may still run when List is asked',
    explains: (call, real, local) =>
      call.kind === 'rpc' &&
      call.method === 'List' &&
      JSON.stringify(withoutTrue(real)) === JSON.stringify(withoutTrue(local)),
  },
  {
    name: 'binary messages that are cut off are internal errors',
    reason: 'connect-es reads them before any code of ours, and says so',
    explains: (_call, real, local) =>
      real.error?.code === 'invalid_argument' &&
      /^unmarshal message: .*(wire-format|unexpected EOF)/.test(real.error.message) &&
      local.error?.code === 'internal' &&
      local.error.message.startsWith('parse binary: '),
  },
  {
    name: 'a binary message may have a field of another type',
    reason:
      'protobuf-es skips it, or reads it as it comes; Go keeps it among the unknown ones, or refuses it',
    explains: (call, real, local) =>
      call.kind === 'http' &&
      (call.headers['content-type'] ?? '').endsWith('proto') &&
      real.error?.code === 'invalid_argument' &&
      real.error.message.startsWith('unmarshal message: ') &&
      local.status !== 500,
  },
  {
    name: 'messages above 64 MiB are refused',
    reason: 'a message is held in memory several times over; envd has no bound',
    explains: (_call, _real, local) => local.error?.code === 'resource_exhausted',
  },
  {
    name: 'an envelope that ends after its head',
    reason: 'connect-es takes it for no message, which is another code',
    explains: (_call, real, local) =>
      /^protocol error: promised \d+ bytes .* got 0 bytes$/.test(real.error?.message ?? '') &&
      local.error?.code === 'unimplemented',
  },
  {
    name: 'an empty message of a JSON stream is refused',
    reason: 'Go takes it for an empty object; JSON it is not',
    explains: (_call, _real, local) =>
      local.error?.code === 'invalid_argument' &&
      local.error.message.includes('Unexpected end of JSON input'),
  },
  {
    name: 'JSON without UTF-8',
    reason: 'connect-es replaces what it cannot read, as browsers do, where Go refuses the message',
    explains: (_call, real) => real.error?.message.includes('invalid UTF-8') === true,
  },
  {
    name: 'only regular files are read',
    reason: 'a device may have no end, and of a FIFO one reader would take what is meant for another',
    explains: (_call, _real, local) =>
      local.status === 400 && local.error?.message.endsWith('is not a regular file') === true,
  },
  {
    name: 'a terminal tells everything',
    reason:
      'envd reads a terminal before anybody listens, so that what a quick program prints first may be lost',
    explains: (call, real, local) =>
      call.kind === 'rpc' &&
      call.method === 'Start' &&
      call.message.pty !== undefined &&
      terminalOf(local)?.endsWith(terminalOf(real) ?? '') === true &&
      JSON.stringify(messagesOf(real)) === JSON.stringify(messagesOf(local)),
  },
  {
    name: 'the variables of a sandbox',
    reason: 'an envd without a sandbox around it has no E2B_SANDBOX_ID and E2B_TEMPLATE_ID',
    explains: (call) => call.kind === 'http' && call.path === '/envs',
  },
];

const worded: readonly KnownDifference[] = wordings.map(({ name, reason, pairs }) => ({
  name,
  reason,
  explains: (_call, real, local) =>
    real.error !== undefined &&
    local.error !== undefined &&
    real.status === local.status &&
    real.error.code === local.error.code &&
    JSON.stringify(real.headers) === JSON.stringify(local.headers) &&
    pairs.some(([theirs, ours]) =>
      saysTheSame(theirs.exec(real.error!.message), ours.exec(local.error!.message)),
    ),
}));

function saysTheSame(real: RegExpExecArray | null, local: RegExpExecArray | null): boolean {
  if (!real || !local) return false;
  return real[1] === undefined || local[1] === undefined || real[1] === local[1];
}

export const knownDifferences: readonly KnownDifference[] = [...worded, ...others];

/** The processes that are listed, but for those that only end. */
function withoutTrue({ body }: Comparable): readonly unknown[] {
  const listed = (body as { processes?: readonly string[] }).processes ?? [];
  return listed.filter((one) => !one.includes('"cmd":"true"'));
}

function terminalOf({ body }: Comparable): string | undefined {
  return (body as { output?: { pty?: string } }).output?.pty;
}

function messagesOf({ body }: Comparable): unknown {
  return (body as { messages?: unknown }).messages;
}

function textOf({ body }: Comparable): string | undefined {
  return typeof body === 'object' && body !== null && 'text' in body ? String(body.text) : undefined;
}
