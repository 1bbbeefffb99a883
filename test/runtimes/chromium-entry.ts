import * as edge from 'e2b-edge';
import * as browser from 'e2b-edge/browser';
import * as errors from 'e2b-edge/errors';
import type { StageEnv } from '../suites/case.js';
import type { CaseId, CaseResult } from './define.js';
import { runCase } from './run-case.js';

declare global {
  /** Called by the test through playwright. */
  var runSuiteCase: (env: StageEnv, id: CaseId) => Promise<CaseResult>;
}

globalThis.runSuiteCase = (env, id) => runCase('chromium', { edge, browser, errors }, env, id);
