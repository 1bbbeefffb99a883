/** The package's types as its users' compilers see them, with every declaration checked. */

import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { bundler, diagnose, nodeNext, root } from './diagnose.js';

const language = ['lib.es2022.d.ts', 'lib.esnext.disposable.d.ts'];
const dom = ['lib.dom.d.ts', 'lib.dom.iterable.d.ts', 'lib.dom.asynciterable.d.ts'];

const users: Record<string, { program: string; settings: ts.CompilerOptions }> = {
  'a page': { program: 'page', settings: { lib: [...language, ...dom], types: [] } },
  'a page, in the language of 2022 alone': {
    program: 'page',
    settings: { lib: ['lib.es2022.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'], types: [] },
  },
  'a server, without the DOM': { program: 'server', settings: { lib: language, types: ['node'] } },
  'a worker of a page': {
    program: 'worker',
    settings: { lib: [...language, 'lib.webworker.d.ts', 'lib.webworker.asynciterable.d.ts'], types: [] },
  },
  'a worker, with the types of Cloudflare': {
    program: 'worker',
    settings: { lib: language, types: ['@cloudflare/workers-types'] },
  },
  'a Worker of Cloudflare, with terminals': {
    program: 'cloudflare',
    settings: { lib: language, types: ['@cloudflare/workers-types'] },
  },
  'a server of Bun, without its types': {
    program: 'bun',
    settings: { lib: [...language, 'lib.webworker.d.ts', 'lib.webworker.asynciterable.d.ts'], types: [] },
  },
};

for (const [user, { program, settings }] of Object.entries(users)) {
  describe(user, () => {
    const path = join(root, 'test/types/consumers', `${program}.ts`);
    test('compiles as a module of Node, with the strictest settings', () => {
      const strictest = {
        exactOptionalPropertyTypes: true,
        noUncheckedIndexedAccess: true,
        noPropertyAccessFromIndexSignature: true,
        verbatimModuleSyntax: true,
      };
      expect(diagnose([path], { ...nodeNext, ...strictest, ...settings })).toEqual([]);
    });
    test('compiles for a bundler', () => {
      expect(diagnose([path], { ...bundler, ...settings })).toEqual([]);
    });
  });
}

test('a server of Deno is checked by Deno itself', () => {
  const folder = mkdtempSync(join(tmpdir(), 'e2b-edge-deno-'));
  try {
    writeFileSync(join(folder, 'package.json'), '{ "dependencies": { "e2b-edge": "*" } }');
    for (const part of ['dist', 'package.json']) {
      cpSync(join(root, part), join(folder, 'node_modules/e2b-edge', part), { recursive: true });
    }
    cpSync(join(root, 'test/types/consumers/deno.ts'), join(folder, 'deno.ts'));
    const offline = ['--no-remote', '--no-lock', '--node-modules-dir=manual'];
    const deno = join(root, 'node_modules/.bin/deno');
    const { status, stderr } = spawnSync(deno, ['check', ...offline, 'deno.ts'], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect(status, stderr).toBe(0);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
