/** Turns the suites into tests of vitest: one a case and way, whatever runtime runs it. */

import { spawnSync } from 'node:child_process';
import { describe, test } from 'vitest';
import { whyNot } from '../suites/capabilities.js';
import type { Case, Runtime, Via } from '../suites/case.js';
import { suites } from '../suites/index.js';
import { SuiteResults } from './suite-results.js';

/** Which case to run, in plain JSON. */
export interface CaseId {
  suite: string;
  name: string;
  via: Via;
}

/** How a case ended. */
export interface CaseResult {
  /** The methods of the package that it called; see `call-recorder.ts`. */
  calls: string[];
  failure?: {
    message: string;
    /** As of an Error: it begins with the message. */
    stack: string;
  };
}

/** Defines all tests of a runtime; `runCase` takes each of them there. */
export function defineSuites(runtime: Runtime, runCase: (id: CaseId) => Promise<CaseResult>): void {
  const results = new SuiteResults(runtime);
  for (const via of ['key', 'session'] as const) {
    describe(via === 'key' ? 'straight' : 'through the broker', () => {
      for (const suite of suites) {
        const cases = suite.cases.filter((one) => one.via === undefined || one.via === via);
        if (cases.length === 0) continue;
        describe(suite.name, () => {
          for (const one of cases) {
            const id = { suite: suite.name, name: one.name, via };
            results.expect(id);
            defineCase(runtime, id, one, runCase, results);
          }
        });
      }
    });
  }
  results.defineTests();
}

/** Whether a local sandbox will have a program: it has this machine's. */
function hasProgram(program: string): boolean {
  return !spawnSync(program, ['--version'], { stdio: 'ignore' }).error;
}

function defineCase(
  runtime: Runtime,
  id: CaseId,
  one: Case,
  runCase: (id: CaseId) => Promise<CaseResult>,
  results: SuiteResults,
): void {
  const reason =
    one.needs?.map((need) => whyNot(need, runtime, id.via)).find((why) => why !== undefined) ??
    one.programs?.filter((program) => !hasProgram(program)).map((name) => `this machine has no ${name}`)[0];
  if (reason !== undefined) {
    results.add({ ...id, outcome: 'skipped', reason, calls: [] });
    test.skip(`${one.name} (skipped: ${reason})`);
    return;
  }
  test(one.name, async () => {
    const { calls, failure } = await runCase(id);
    results.add({ ...id, outcome: failure ? 'failed' : 'passed', calls });
    if (failure) throw Object.assign(new Error(failure.message), { stack: failure.stack });
  });
}
