/** Defines all cases for one runtime: they are written once, in `cases`. */

import { afterAll, afterEach, beforeAll } from 'vitest';
import { BrokerStage } from './broker-stage.js';
import { basics } from './cases/basics.js';
import { http } from './cases/http.js';
import { mounts } from './cases/mounts.js';
<<<<<<< HEAD
import { previews } from './cases/previews.js';
=======
import { sessions } from './cases/sessions.js';
>>>>>>> 49bebd5 (Tests: sessions for every taste, end to end in every runtime)
import { streams } from './cases/streams.js';
import { strict } from './cases/strict.js';
import { terminals } from './cases/terminals.js';
import type { HostName } from './start-host.js';

/** Each topic is a function that defines its tests; the stage is up inside of them only. */
<<<<<<< HEAD
const topics: ((stage: BrokerStage) => void)[] = [basics, http, mounts, previews, streams, strict, terminals];
=======
const topics: ((stage: BrokerStage) => void)[] = [basics, http, mounts, sessions, streams, terminals];
>>>>>>> 49bebd5 (Tests: sessions for every taste, end to end in every runtime)

export function defineCases(runtime: HostName): void {
  const stage = new BrokerStage(runtime);
  beforeAll(() => stage.start());
  afterEach(() => stage.killSandboxes());
  afterAll(() => stage.close());
  for (const topic of topics) topic(stage);
}
