/** What the cases of one runtime came to. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll } from 'vitest';
import { type CaseOutcome, resultsPath } from '../../scripts/runtime-table.mjs';
import type { Runtime } from '../suites/case.js';

export class SuiteResults {
  readonly #runtime: Runtime;
  readonly #outcomes: CaseOutcome[] = [];
  #defined = 0;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** One more case is there. */
  expectOne(): void {
    this.#defined++;
  }

  add(outcome: CaseOutcome): void {
    this.#outcomes.push(outcome);
  }

  /** Leaves the results for `scripts/runtime-table.mjs`, if all cases were run. */
  saveInTheEnd(): void {
    afterAll(() => {
      if (this.#isComplete()) this.#save();
    });
  }

  #isComplete(): boolean {
    return this.#outcomes.length === this.#defined;
  }

  #save(): void {
    const path = resultsPath(this.#runtime);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `${JSON.stringify(this.#outcomes, null, 1)}\n`);
  }
}
