/** The files of the sandbox that stands upstream, and where paths lead among them. */

export type Entry = 'directory' | 'file' | { link: string };

export const home = '/home/user';

/** All that there is. What is not listed does not exist. */
export const tree: ReadonlyMap<string, Entry> = new Map<string, Entry>([
  ...['/', '/home', '/root', '/etc', '/tmp', '/srv', '/srv/data', home].map(
    (path) => [path, 'directory'] as const,
  ),
  [`${home}/work`, 'directory'],
  [`${home}/work/sub`, 'directory'],
  [`${home}/work/a.txt`, 'file'],
  [`${home}/work/sub/b.txt`, 'file'],
  [`${home}/work/..secret`, 'file'],
  [`${home}/work/%2e%2e`, 'directory'],
  [`${home}/work/ü x+y.txt`, 'file'],
  // Its name begins as the one beside it does.
  [`${home}/workshop`, 'directory'],
  [`${home}/workshop/plan`, 'file'],
  [`${home}/.bashrc`, 'file'],
  ['/root/.ssh', 'file'],
  ['/etc/passwd', 'file'],
  ['/srv/data/x', 'file'],
  [`${home}/work/in`, { link: 'sub' }],
  [`${home}/work/out`, { link: '/etc' }],
  [`${home}/work/up`, { link: '../../..' }],
  [`${home}/work/twice`, { link: 'out' }],
  [`${home}/work/sub/password`, { link: '/etc/passwd' }],
  [`${home}/work/beside`, { link: '../workshop' }],
  [`${home}/work/nowhere`, { link: '/etc/new' }],
  [`${home}/work/circle`, { link: 'circle' }],
  ['/srv/link', { link: `${home}/work` }],
  ['/tmp/back', { link: `${home}/work/out` }],
]);

const mostLinks = 40;

/**
 * Goes a path as a kernel does: each part that is a link leads to its target, the last one too where links are
 * followed. Parts that do not exist lead to themselves. Undefined where links go in circles.
 */
export function locate(path: string, follows: boolean): string | undefined {
  let at: string[] = [];
  let links = 0;
  const ahead = partsOf(path);
  for (let part = ahead.shift(); part !== undefined; part = ahead.shift()) {
    if (part === '..') {
      at.pop();
      continue;
    }
    const entry = tree.get(`/${[...at, part].join('/')}`);
    if (typeof entry === 'object' && (follows || ahead.length > 0)) {
      if (++links > mostLinks) return undefined;
      if (entry.link.startsWith('/')) at = [];
      ahead.unshift(...partsOf(entry.link));
    } else at.push(part);
  }
  return `/${at.join('/')}`;
}

/** The path that envd makes of what it is given. */
export function expand(path: string, user: string | undefined): string {
  const own = user === 'root' ? '/root' : home;
  if (path === '~' || path.startsWith('~/')) return `${own}${path.slice(1)}`;
  return path.startsWith('/') ? path : `${own}/${path}`;
}

function partsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}
