/** What may be done of strict mode's: files are used by programs that run as the session's user, never by envd as root. */

import type { StartRequest } from '../../../src/wire/gen/process/process_pb.js';
import type { LawfulSession } from '../support/session.js';
import { placesOf, type StrictOperation, type StrictPlace } from '../support/strict-programs.js';
import type { World } from '../support/world.js';
import { mayUse } from './judge-path.js';

const ops: Record<StrictOperation, readonly (readonly ('read' | 'write')[])[]> = {
  stat: [['read']],
  list: [['read']],
  read: [['read']],
  makeDir: [['write']],
  remove: [['write']],
  write: [['write']],
  // What is moved can be read where it arrives.
  move: [['read', 'write'], ['write']],
};

/** Judges a program that is not the page's own. Whose it runs as was judged with the credentials. */
export function judgeHelper(world: World, { process, pty }: StartRequest, who: LawfulSession): void {
  if (!who.grant.strict || who.grant.user === undefined) throw new Error('no strict mode');
  const { cmd = '', args = [], envs = {} } = process ?? {};
  const [flag, text = '', name, ...rest] = args;
  const operation = world.strictPrograms.get(text);
  if (cmd !== '/bin/sh' || flag !== '-c' || name !== 'sh' || !operation)
    throw new Error('a program that differs from one page to another');
  if (pty || Object.keys(envs).length > 0) throw new Error('not a plain program');
  const places = placesOf(rest);
  if (places.length !== ops[operation].length) throw new Error(`${operation} of ${places.length} places`);
  for (const [index, place] of places.entries()) {
    for (const op of ops[operation][index] ?? []) judgePlace(who, op, place);
  }
}

/** It is kept to the prefixes by the program: so these are to be granted ones, and the path below one by its text. */
function judgePlace(who: LawfulSession, op: 'read' | 'write', { path, prefixes }: StrictPlace): void {
  if (/\0|\\|\/\.{1,2}(\/|$)|\/\//.test(path)) throw new Error(`the path ${path} is not plain`);
  if (!mayUse(who, op, path)) throw new Error(`${op} of ${path}`);
  const wide = prefixes.find((prefix) => !mayUse(who, op, prefix));
  if (wide !== undefined) throw new Error(`${op} below ${wide}`);
}
