/** Takes cases as requests, for the runtimes that are spoken to by HTTP. */

import type { Entries, Runtime, StageEnv } from '../suites/case.js';
import type { CaseId } from './define.js';
import { runCase } from './run-case.js';

/** What a request for a case holds. */
export interface CaseRequest {
  env: StageEnv;
  id: CaseId;
}

export function suiteHandler(runtime: Runtime, entries: Entries): (request: Request) => Promise<Response> {
  return async (request) => {
    const { env, id } = (await request.json()) as CaseRequest;
    return Response.json(await runCase(runtime, entries, env, id));
  };
}
