/** Paths as the programs of strict mode take them. */

import type { FileGrant } from '../../wire/session.js';
import type { FullGrant } from '../grant.js';
import { isWithin } from '../sandbox-path.js';

/** A name in a directory and the prefixes that it may be within, for a normalised path. */
export function placeOf(path: string, prefixes: readonly string[]): string[] {
  const slash = path.lastIndexOf('/');
  const name = path.slice(slash + 1);
  return [path.slice(0, slash) || '/', name || '.', String(prefixes.length), ...prefixes];
}

/** The same, of a directory that is gone into. */
export function directoryOf(path: string, prefixes: readonly string[]): string[] {
  return [path, '.', String(prefixes.length), ...prefixes];
}

/** The prefixes below which all of some operations are granted. */
export function grantedPrefixes(grant: FullGrant, ...ops: readonly FileGrant['op'][]): string[] {
  const prefixesOf = (op: FileGrant['op']): string[] =>
    grant.files.filter((file) => file.op === op).map(({ prefix }) => prefix);
  return ops.map(prefixesOf).reduce((some, others) =>
    some.flatMap((prefix) =>
      others.flatMap((other) => {
        if (isWithin(prefix, other)) return [prefix];
        return isWithin(other, prefix) ? [other] : [];
      }),
    ),
  );
}
