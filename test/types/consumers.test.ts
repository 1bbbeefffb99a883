/** The package's types as its users' compilers see them, with every declaration checked. */

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
