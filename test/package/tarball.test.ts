import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

interface Conditions {
  types: string;
  default: string;
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  exports: Record<string, string | Conditions>;
  bin?: Record<string, string>;
};

let folder: string;
let tarball: Buffer;
let files: string[];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'e2b-edge-pack-'));
  const packed = execFileSync('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [report] = JSON.parse(packed) as [{ filename: string; files: { path: string }[] }];
  tarball = readFileSync(join(folder, report.filename));
  files = report.files.map(({ path }) => path);
});

afterAll(() => rmSync(folder, { recursive: true }));

describe('the packed tarball', () => {
  test('has a file behind every export and bin', () => {
    const wanted = Object.values(manifest.exports).flatMap((entry) =>
      typeof entry === 'string' ? [entry] : Object.values(entry as unknown as Record<string, string>),
    );
    wanted.push(...Object.values(manifest.bin ?? {}));
    const missing = wanted.map((path) => path.replace(/^\.\//, '')).filter((path) => !files.includes(path));
    expect(missing).toEqual([]);
  });

  test('holds nothing but the build and its papers', () => {
    const odd = files.filter(
      (path) =>
        !/^(dist\/|package\.json$|README\.md$|LICENSE$|CHANGELOG\.md$|docs\/)/.test(path) ||
        // The server's envd is one bundle that nobody imports.
        /\.test\.|^dist\/local\/envd\/.*\.d\.ts$/.test(path),
    );
    expect(odd).toEqual([]);
    expect(files).toEqual(expect.arrayContaining(['README.md', 'LICENSE', 'CHANGELOG.md']));
  });

  test('satisfies publint', async () => {
    const { messages, pkg } = await publint({
      pack: { tarball: new Uint8Array(tarball).buffer },
      strict: true,
    });
    expect(messages.map((message) => formatMessage(message, pkg ?? {}, { color: false }))).toEqual([]);
  });

  test('gives its types to every importer of ES modules', async () => {
    const analysis = await checkPackage(createPackageFromTarballData(new Uint8Array(tarball)));
    if (!analysis.types) throw new Error('the package has no types');
    // CommonJS programs have `import()`; the resolution of Node 10 knows no `exports`.
    const problems = analysis.problems.filter(
      (problem) =>
        problem.kind !== 'CJSResolvesToESM' &&
        !('resolutionKind' in problem && problem.resolutionKind === 'node10') &&
        !('entrypoint' in problem && problem.entrypoint === './package.json'),
    );
    expect(problems).toEqual([]);
  });

  test('carries declarations that need no type of Node, where the code needs none', () => {
    const brokers = ['broker', 'broker-cloudflare', 'broker-deno', 'broker-bun'];
    const entries = ['index', 'browser', ...brokers, 'terminal', 'errors'].map((name) =>
      join(root, 'dist', `${name}.d.ts`),
    );
    expect(entries.filter((path) => !existsSync(path))).toEqual([]);
    const ofRuntimes =
      /from '(node|bun|cloudflare|jsr|npm):|types="|\b(NodeJS|Deno|Bun)\.|\bBuffer\b|from 'ws'/;
    const withNode = files.filter(
      (path) =>
        path.endsWith('.d.ts') &&
        !/^dist\/(local|cli|hosts\/node|broker-node)/.test(path) &&
        ofRuntimes.test(readFileSync(join(root, path), 'utf8').replace(/\/\*[\s\S]*?\*\//g, '')),
    );
    expect(withNode).toEqual([]);
  });
});
