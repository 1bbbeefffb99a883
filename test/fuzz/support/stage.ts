/** A broker before the upstream in memory, and the sessions and programs that are there when a case begins. */

import type { Authorization } from '../../../src/broker/authorization.js';
import { type BrokerCore, createBrokerCore } from '../../../src/broker/broker-core.js';
import type { BrokerOptions } from '../../../src/broker/broker-options.js';
import { createMemoryStore } from '../../../src/broker/stores/memory-store.js';
import type { Grant, Session } from '../../../src/wire/session.js';
import type { Call } from '../arbitraries/calls.js';
import { users } from '../arbitraries/grants.js';
import { draftOf } from './draft.js';
import { everything } from './everything.js';
import type { Keys } from './keys.js';
import { learnStrictPrograms } from './learn-strict.js';
import { apiKey } from './secrets.js';
import { requestOf } from './send.js';
import type { LawfulSession } from './session.js';
import type { Sessions } from './tamper.js';
import { addresses, fetchInto, type Program, type World } from './world.js';

export const origin = 'https://app.example';

interface Place {
  withStore: boolean;
  /** Where previews are. */
  previewsAt?: 'path' | 'origins';
}

export interface Stage {
  broker: BrokerCore<undefined>;
  world: World;
  previewsAt: 'path' | 'origins';
  /** What the application answers from now on. */
  authorization: Authorization | null;
  mint(authorization: Authorization): Promise<LawfulSession>;
}

export function newWorld(place: World['place']): World {
  return {
    place,
    sandboxes: new Map([
      ['sandboxone', 'ann'],
      ['sandboxtwo', 'ann'],
      ['sandboxbob', 'bob'],
    ]),
    paused: new Set(),
    wasPaused: new Set(),
    programs: [],
    strictPrograms: new Map(),
    envdMood: 'well',
    controlMood: 'well',
    actor: undefined,
    arrived: [],
  };
}

/** @param stage whose authorization may change. */
export function brokerOptions(
  keys: Keys,
  stage: { world: World; authorization: Authorization | null },
  { withStore, previewsAt = 'path' }: Place,
): BrokerOptions<undefined> {
  const { world } = stage;
  return {
    apiKey,
    signingKeys: keys.broker,
    origins: [origin],
    basePath: '/api/sandbox',
    authorize: () => stage.authorization,
    fetch: fetchInto(world),
    limits: { mintsPerMinute: 1000 },
    ...(world.place === 'address' && { apiUrl: addresses.control, sandboxUrl: addresses.envd }),
    ...(withStore && { store: createMemoryStore() }),
    ...(previewsAt === 'origins' && { previews: { origin: 'https://{port}-{sandboxId}.preview.example' } }),
  };
}

export function setStage(keys: Keys, place: World['place'], more: Place): Stage {
  const played: { world: World; authorization: Authorization | null } = {
    world: newWorld(place),
    authorization: null,
  };
  const broker = createBrokerCore<undefined>(brokerOptions(keys, played, more));
  const stage: Stage = Object.assign(played, {
    broker,
    previewsAt: more.previewsAt ?? 'path',
    async mint(authorization: Authorization) {
      stage.authorization = authorization;
      const request = requestOf(
        draftOf({ kind: 'session', method: 'POST', path: '/sessions', body: {} }, noIds),
      );
      const response = await broker.handle(request as Request);
      if (response.status !== 201) throw new Error(`not minted: ${await response.text()}`);
      return lawful((await response.json()) as Session, authorization);
    },
  });
  return stage;
}

const noIds = { sandboxId: '', sessionId: '' };

export function lawful(
  { token, sessionId, sandboxId, grant }: Session,
  { subject, processesOf = subject, sandbox: { keepAlive = true, endWithSession = false } }: Authorization,
): LawfulSession {
  return {
    token,
    sessionId,
    subject,
    owner: processesOf,
    sandboxId,
    grant,
    keepAlive,
    endWithSession,
    ended: false,
    taken: new Set(),
  };
}

/** What others hold, and what runs in the sandbox: made once for each kind of key, as it takes many calls. */
export interface Others {
  sessions: Omit<Sessions, 'own'>;
  programs: readonly Program[];
  strictPrograms: World['strictPrograms'];
  madeAt: number;
}

export async function prepareOthers(keys: Keys): Promise<Others> {
  const stage = setStage(keys, 'address', { withStore: false });
  const mint = (subject: string, id: string, grants: Grant): Promise<LawfulSession> =>
    stage.mint({ subject, sandbox: { id }, grants });
  for (const subject of ['ann', 'bob']) {
    for (const user of users) {
      const as = user === undefined ? {} : { user };
      await startAll(stage, await mint(subject, 'sandboxone', { commands: 'run', pty: 'write', ...as }));
      await startAll(
        stage,
        await mint(subject, 'sandboxone', { commands: ['ls', { command: 'cat', stdin: true }], ...as }),
      );
    }
  }
  const { programs } = stage.world;
  const forged = programs.flatMap(({ tag, pid }) => (pid % 5 === 0 ? [`${tag} `, tag?.toUpperCase()] : []));
  for (const tag of [undefined, 'mine', 'e2b-edge:mine', 'e2b-edge:', ...forged]) {
    programs.push({ pid: 0, sandboxId: 'sandboxone', tag, startedAs: 'run', owner: undefined });
  }
  return {
    sessions: {
      colleague: await mint('bob', 'sandboxone', everything),
      elsewhere: await mint('ann', 'sandboxtwo', everything),
      wide: await mint('ann', 'sandboxone', { ...everything, user: 'root' }),
    },
    programs: programs.map((program, index) => ({ ...program, pid: index + 1 })),
    strictPrograms: await learnStrictPrograms(stage),
    madeAt: Date.now(),
  };
}

/** Starts all that is granted. */
async function startAll(stage: Stage, session: LawfulSession): Promise<void> {
  stage.world.actor = session;
  const shell = (line: string) => ({ cmd: '/bin/bash', args: ['-l', '-c', line] });
  const messages = Array.isArray(session.grant.commands)
    ? ['ls', 'cat'].map((line) => ({ process: shell(line) }))
    : [{ process: shell('ls') }, { process: shell('ls'), pty: {} }];
  for (const message of messages) {
    const call: Call = { kind: 'rpc', procedure: 'process.Process/Start', codec: 'json', message };
    const draft = draftOf(call, session);
    const headers: [string, string][] = [...draft.headers, ['authorization', `Bearer ${session.token}`]];
    const response = await stage.broker.handle(requestOf({ ...draft, headers }) as Request);
    const text = await response.text();
    if (!text.includes('pid')) throw new Error(`not started: ${text}`);
  }
}
