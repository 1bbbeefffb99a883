/** Defines all cases for one runtime: they are written once, in `cases`. */

import { afterAll, afterEach, beforeAll } from 'vitest';
import { BrokerStage } from './broker-stage.js';
import { audit } from './cases/audit.js';
import { basics } from './cases/basics.js';
import { calls } from './cases/calls.js';
import { commands } from './cases/commands.js';
import { http } from './cases/http.js';
import { mounts } from './cases/mounts.js';
import { prefixes } from './cases/prefixes.js';
import { previewSockets } from './cases/preview-sockets.js';
import { previews } from './cases/previews.js';
import { revocation } from './cases/revocation.js';
import { sessions } from './cases/sessions.js';
import { sharedTerminals } from './cases/shared-terminals.js';
import { sleep } from './cases/sleep.js';
import { stateless } from './cases/stateless.js';
import { streams } from './cases/streams.js';
import { strict } from './cases/strict.js';
import { strictTrees } from './cases/strict-trees.js';
import { terminals } from './cases/terminals.js';
import type { HostName } from './start-host.js';

/** Each topic is a function that defines its tests; the stage is up inside of them only. */
const topics: ((stage: BrokerStage) => void)[] = [
  basics,
  calls,
  commands,
  http,
  mounts,
  prefixes,
  previews,
  previewSockets,
  sessions,
  sharedTerminals,
  streams,
  strict,
  strictTrees,
  terminals,
  revocation,
  sleep,
  audit,
];

export function defineCases(runtime: HostName): void {
  const stage = new BrokerStage(runtime);
  beforeAll(() => stage.start());
  afterEach(() => stage.killSandboxes());
  afterAll(() => stage.close());
  for (const topic of topics) topic(stage);
  if (runtime === 'workerd') stateless(stage);
}
