/**
 * Brings a fresh clone to where it can run: packages, build, programs of the system. Each step looks first and
 * does nothing when nothing is to be done. Only Node's own modules: nothing may be installed yet.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** The folder of the repository. */
export const root = fileURLToPath(new URL('..', import.meta.url));

const chromiumNames = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

/** Runs `npm ci` unless what is installed is what the lock file says. */
export function ensureDependencies() {
  if (dependenciesCurrent()) return;
  say('installing the packages (npm ci)');
  run('npm', ['ci', '--no-audit', '--no-fund']);
}

/** Runs `npm run build` unless `dist` is there and newer than all it is made from. */
export function ensureBuild() {
  const built = newest([join(root, 'dist')]);
  const sources = ['src', 'rollup.config.mjs', 'package.json', 'tsconfig.base.json', 'tsconfig.node.json'];
  if (built > newest(sources.map((source) => join(root, source)))) return;
  say('building (npm run build)');
  run('npm', ['run', 'build']);
}

/**
 * Sees to programs that npm does not bring. As root on Debian it installs them, else it says what to do.
 * @param {('chromium' | 'bubblewrap' | 'slirp4netns')[]} needed
 * @returns {string[]} what is still missing
 */
export function ensureSystem(needed) {
  const found = {
    chromium: () => findChromium(),
    bubblewrap: () => findProgram('bwrap'),
    slirp4netns: () => findProgram('slirp4netns'),
  };
  let missing = needed.filter((name) => !found[name]());
  if (missing.length === 0) return [];

  if (process.getuid?.() === 0 && findProgram('apt-get')) {
    say(`installing ${missing.join(' and ')} (apt-get)`);
    tryRun('apt-get', ['update', '-q']);
    tryRun('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...missing]);
    missing = missing.filter((name) => !found[name]());
  }
  if (missing.includes('chromium')) {
    say('downloading Chromium (playwright-core install)');
    tryRun('npx', ['playwright-core', 'install', 'chromium-headless-shell']);
    missing = missing.filter((name) => !found[name]());
  }
  for (const name of missing) say(`${name} is missing: ${advice[name]}`);
  return missing;
}

const advice = {
  chromium: 'install Chromium (Debian: apt-get install chromium) or name it in CHROMIUM_PATH',
  bubblewrap: 'install it (Debian: apt-get install bubblewrap); without it local sandboxes are not isolated',
  slirp4netns:
    'install it (Debian: apt-get install slirp4netns); without it local sandboxes have no internet',
};

/**
 * Where Chromium is: `CHROMIUM_PATH`, one of the usual names on the PATH, or playwright's own download.
 * @returns {string | undefined}
 */
export function findChromium() {
  const named = process.env.CHROMIUM_PATH;
  if (named) return existsSync(named) ? named : undefined;
  for (const name of chromiumNames) {
    const path = findProgram(name);
    if (path) return path;
  }
  return playwrightChromium();
}

function playwrightChromium() {
  const home = process.env.PLAYWRIGHT_BROWSERS_PATH ?? join(process.env.HOME ?? '', '.cache/ms-playwright');
  if (!existsSync(home)) return undefined;
  const folders = readdirSync(home).filter((name) => name.startsWith('chromium'));
  const programs = [
    'chrome-headless-shell-linux64/chrome-headless-shell',
    'chrome-linux64/chrome',
    'chrome-linux/headless_shell',
    'chrome-linux/chrome',
    'chrome-headless-shell-mac-arm64/chrome-headless-shell',
  ];
  return folders
    .flatMap((folder) => programs.map((program) => join(home, folder, program)))
    .find((path) => existsSync(path));
}

function findProgram(name) {
  const folders = (process.env.PATH ?? '').split(':').filter(Boolean);
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

// npm keeps a copy of the lock beside what it installed. Times would not do: a checkout touches the lock file.
function dependenciesCurrent() {
  const wanted = readLock('package-lock.json');
  const installed = readLock('node_modules/.package-lock.json');
  if (!wanted || !installed) return false;
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === '') return true;
    const have = installed[path];
    return have ? have.version === entry.version : entry.optional === true || entry.peer === true;
  });
}

function readLock(path) {
  const file = join(root, path);
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).packages : undefined;
}

// The newest modification below the paths, in milliseconds; 0 when there is nothing.
function newest(paths) {
  let latest = 0;
  for (const path of paths) {
    if (!existsSync(path)) continue;
    const stat = statSync(path);
    const times = stat.isDirectory()
      ? readdirSync(path)
          .filter((name) => name !== 'dist' && name !== 'node_modules')
          .map((name) => newest([join(path, name)]))
      : [stat.mtimeMs];
    latest = Math.max(latest, ...times);
  }
  return latest;
}

/** Runs a program in the repository with its output shown, and throws when it fails. */
function run(program, args) {
  if (!tryRun(program, args)) throw new Error(`${program} ${args.join(' ')} failed`);
}

// What they print goes to stderr: the stdout of a command that sets itself up is its own.
function tryRun(program, args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  return spawnSync(program, args, { cwd: root, stdio: ['ignore', 2, 2], env }).status === 0;
}

function say(line) {
  console.error(`setup: ${line}`);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  ensureDependencies();
  ensureBuild();
  ensureSystem(['chromium', 'bubblewrap', 'slirp4netns']);
}
