/** The programs of strict mode as the sandbox that stands upstream has them: known by their texts, and not run. */

import { expand, locate, tree } from './tree.js';

export type StrictOperation = 'stat' | 'list' | 'read' | 'makeDir' | 'remove' | 'write' | 'move';

/** A path, and the prefixes that it has to be within once all links were followed. */
export interface StrictPlace {
  path: string;
  prefixes: string[];
}

/** Reads `directory name count prefix…`, as often as that comes among the parameters. */
export function placesOf(parameters: readonly string[]): StrictPlace[] {
  const places: StrictPlace[] = [];
  for (let at = 0; at < parameters.length; at++) {
    const [directory = '', name = '', count = ''] = parameters.slice(at);
    if (!directory.startsWith('/') || !/^\d+$/.test(count)) continue;
    const prefixes = parameters.slice(at + 3, at + 3 + Number(count));
    const path = name === '.' ? directory : `${directory === '/' ? '' : directory}/${name}`;
    places.push({ path, prefixes });
    at += 2 + prefixes.length;
  }
  return places;
}

/** How a program ends: with the place that it found, or with the code by which it says no. */
export function runStrictly(operation: StrictOperation, { path, prefixes }: StrictPlace): string | number {
  const follows = operation === 'read' || operation === 'list' || operation === 'write';
  const place = locate(expand(path, undefined), follows);
  if (place === undefined) return 79;
  if (!prefixes.some((prefix) => prefix === '/' || place === prefix || place.startsWith(`${prefix}/`)))
    return 70;
  return tree.has(place) || operation === 'write' || operation === 'makeDir' ? place : 71;
}
