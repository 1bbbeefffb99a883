import * as edge from 'e2b-edge';
import * as browser from 'e2b-edge/browser';
import * as errors from 'e2b-edge/errors';
import type { StageEnv } from '../suites/case.js';
import type { CaseId } from './define.js';
import { runCase } from './run-case.js';

export default {
  async fetch(request: Request): Promise<Response> {
    const { env, id } = (await request.json()) as { env: StageEnv; id: CaseId };
    return Response.json(await runCase('workerd', { edge, browser, errors }, env, id));
  },
};
