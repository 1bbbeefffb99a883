import fc from 'fast-check';
import { home, tree } from '../support/tree.js';

const real = [...tree.keys()];
const below = fc.array(
  fc.constantFrom(
    'a.txt',
    'sub',
    'new',
    'in',
    'out',
    'up',
    'twice',
    '..secret',
    '%2e%2e',
    'shadow',
    'ü',
    '...',
  ),
  { minLength: 1, maxLength: 3 },
);
const plain = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...real) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom(...real), below)
      .map(([path, more]) => `${path === '/' ? '' : path}/${more.join('/')}`),
  },
  { weight: 1, arbitrary: below.map((parts) => parts.join('/')) },
);

/** Ways to write a path that a check and a file system may read differently. */
const disguises: readonly ((path: string) => string)[] = [
  (path) => path.replace(/\/([^/]*)$/, '//$1'),
  (path) => path.replace(/\/([^/]*)$/, '/./$1'),
  (path) => path.replace(/\/([^/]*)$/, '/x/../$1'),
  (path) => `${path}/`,
  (path) => `${path}/..`,
  (path) => `${path}/../../../etc/passwd`,
  (path) => `${path}\0.txt`,
  (path) => path.replace(/\//g, '\\'),
  (path) => path.replace(/\//g, '%2f'),
  (path) => path.replace(/\//g, '%252f'),
  (path) => path.replace(/\/([^/]*)$/, '/%2e%2e/$1'),
  (path) => path.replace(/\/([^/]*)$/, '/.%2e/$1'),
  (path) => path.replace(/\/([^/]*)$/, '/\uff0e\uff0e/$1'),
  (path) => path.replace(/\//g, '\u2215'),
  (path) => path.replace(/\//g, '\u2044'),
  (path) => `file://${path}`,
  (path) => `/${path}`,
  (path) => `//evil.test${path}`,
  (path) => `${path}:stream`,
  (path) => ` ${path}`,
  (path) => `${path}\n`,
  (path) => `${path}\r\nx-access-token: mine`,
  (path) => `${path}\ud800`,
  (path) => path.normalize('NFD'),
  (path) => path.toUpperCase(),
  (path) => path.replace(home, '~'),
  (path) => path.replace(home, '~root'),
  (path) => path.replace(`${home}/`, ''),
  (path) => `${path}/${'a/'.repeat(70)}b`,
  (path) => `${path}/${'a'.repeat(5000)}`,
];

export const paths: fc.Arbitrary<string> = fc.oneof(
  { weight: 5, arbitrary: plain },
  {
    weight: 4,
    arbitrary: fc
      .tuple(plain, fc.array(fc.nat(disguises.length - 1), { minLength: 1, maxLength: 2 }))
      .map(([path, picks]) => picks.reduce((made, pick) => disguises[pick]?.(made) ?? made, path)),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom('', '/', '~', '~/', '..', '.', '/..', '\0', '~bob/x', '~/../../etc'),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }) },
);
