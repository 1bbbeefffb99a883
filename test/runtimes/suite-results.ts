/** What the cases of one runtime came to, and whether README says the same. */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll, expect, type TestContext, test } from 'vitest';
import { publicMethods } from '../../scripts/public-methods.mjs';
import {
  type CaseOutcome,
  columnOf,
  currentTable,
  renderTable,
  resultsPath,
  testedMethods,
} from '../../scripts/runtime-table.mjs';
import type { Runtime } from '../suites/case.js';
import { uncalled } from '../suites/uncalled.js';
import type { CaseId } from './define.js';

export class SuiteResults {
  readonly #runtime: Runtime;
  /** All cases that there are, and what came of those that were run. */
  readonly #cases = new Map<string, CaseOutcome | undefined>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** One more case is there. */
  expect(id: CaseId): void {
    this.#cases.set(keyOf(id), undefined);
  }

  add(outcome: CaseOutcome): void {
    this.#cases.set(keyOf(outcome), outcome);
  }

  /** Defines what is tested of the results as a whole; skipped where only some of the cases were run. */
  defineTests(): void {
    test('every public method is called by a case', (context) => {
      const tested = testedMethods(this.#all(context));
      const missed = publicMethods().filter((method) => !tested.has(method));
      expect(missed).toEqual(Object.keys(uncalled).sort());
    });
    test("README's table says what was run here", (context) => {
      const table = renderTable(publicMethods(), { [this.#runtime]: this.#all(context) });
      const hint = "It is made anew by: npx vitest run --project 'suites-*'; node scripts/runtime-table.mjs";
      expect(columnOf(currentTable(), this.#runtime), hint).toEqual(columnOf(table, this.#runtime));
    });
    afterAll(() => this.#save());
  }

  #all(context: TestContext): CaseOutcome[] {
    const outcomes = this.#ran();
    context.skip(outcomes.length < this.#cases.size, 'not all cases were run');
    return outcomes;
  }

  #ran(): CaseOutcome[] {
    return [...this.#cases.values()].filter((outcome) => outcome !== undefined);
  }

  /** Where only some cases were run, the others' last outcomes stay. */
  #save(): void {
    const path = resultsPath(this.#runtime);
    const before: CaseOutcome[] = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : [];
    const kept = before.filter((one) => this.#cases.has(keyOf(one)) && !this.#cases.get(keyOf(one)));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `${JSON.stringify([...kept, ...this.#ran()], null, 1)}\n`);
  }
}

function keyOf({ suite, name, via }: CaseId): string {
  return JSON.stringify([suite, name, via]);
}
