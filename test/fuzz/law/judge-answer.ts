import { placesIn, processesIn } from '../support/markers.js';
import { secretIn } from '../support/secrets.js';
import { tree } from '../support/tree.js';
import type { World } from '../support/world.js';
import type { Asked } from './judge-arrival.js';
import { mayUseProgram } from './judge-call.js';
import { mayUse } from './judge-path.js';
import { judgePreviewAnswer } from './judge-preview-answer.js';

/** An answer as a page has it, with the bytes of its body as Latin-1. */
export interface Answer {
  status: number;
  headers: Headers;
  body: string;
  /** The body broke off, as a connection does. */
  broken: boolean;
}

/** Codes that tell of a fault in the broker, or in how the test sets it up. */
const faults = ['internal', 'broker_misconfigured'];

/** What is wrong with an answer; undefined where it is as it has to be. */
export function judgeAnswer(world: World, answer: Answer, asked: Asked): string | undefined {
  const { who, place } = asked;
  if (place) return judgePreviewAnswer(answer, asked, place);
  const { status, headers, body, broken } = answer;
  const all = [...headers].flat().join('\n') + body;
  const secret = secretIn(all);
  if (secret !== undefined) return `a secret is in the answer: ${secret}`;
  if (headers.has('set-cookie') || headers.has('x-internal'))
    return 'a header of the upstream is in the answer';
  const isLeft = placesIn(body).find((place) => !who || !tree.has(place) || !mayUse(who, 'read', place));
  if (isLeft !== undefined) return `the answer tells of ${isLeft}`;
  const other = world.programs.find(
    (program) => processesIn(body).includes(program.pid) && !(who && mayUseProgram(program, who, 'watch')),
  );
  if (other) return `the answer tells of process ${other.pid}`;
  return broken ? undefined : judgeForm(status, headers, body);
}

function judgeForm(status: number, headers: Headers, body: string): string | undefined {
  if (!headers.has('x-request-id')) return 'there is no request id';
  if (headers.get('cache-control') !== 'no-store') return 'it may be stored';
  const code = codeOf(status, headers, body);
  if (code === undefined) return undefined;
  if (!/^[a-z]+(_[a-z]+)*$/.test(code))
    return `status ${status} without a stable code: ${body.slice(0, 300)}`;
  if (faults.includes(code)) return `a fault of the broker: ${code} ${body}`;
  return undefined;
}

/** The code of an answer that is an error; empty for one that has none. */
export function codeOf(status: number, headers: Headers, body: string): string | undefined {
  try {
    if (headers.get('content-type')?.startsWith('application/connect+') && status === 200) {
      const end = body.lastIndexOf('{"error":');
      return end < 0 ? undefined : (JSON.parse(body.slice(end)) as { error: { code: string } }).error.code;
    }
    return status < 400 ? undefined : ((JSON.parse(body) as { code?: string }).code ?? '');
  } catch {
    return '';
  }
}
