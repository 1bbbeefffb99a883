import type { Grant } from '../../../src/wire/session.js';
import { commandOf, mayType } from './commands.js';
import { mayUse } from './judge-path.js';

const ptyModes = ['none', 'read', 'write'];

/** Whether a grant goes beyond another; undefined where it does not. The user is a matter of its own. */
export function judgeGrant(given: Grant, allowed: Grant): string | undefined {
  const wide = { grant: allowed };
  const file = given.files?.find(({ op, prefix }) => !mayUse(wide, op, prefix));
  if (file) return `${file.op} of ${file.prefix} was granted`;
  if (ptyModes.indexOf(given.pty ?? 'none') > ptyModes.indexOf(allowed.pty ?? 'none'))
    return 'terminals were granted';
  if (!commandsAreWithin(given.commands, allowed.commands)) return 'commands were granted';
  if (given.ports?.some((port) => !allowed.ports?.includes(port))) return 'ports were granted';
  if (allowed.strict && !given.strict) return 'strict mode was turned off';
  if (given.lifecycle?.some((one) => !allowed.lifecycle?.includes(one))) return 'lifecycle was granted';
  return undefined;
}

function commandsAreWithin(given: Grant['commands'] = 'none', allowed: Grant['commands'] = 'none'): boolean {
  if (given === 'none' || allowed === 'run') return true;
  if (!Array.isArray(given) || !Array.isArray(allowed)) return false;
  return given.every((one) =>
    allowed.some((other) => commandOf(one) === commandOf(other) && (!mayType(one) || mayType(other))),
  );
}
