import type { Call } from '../arbitraries/calls.js';
import { messageOf, procedureOf } from './arrived.js';
import { draftOf } from './draft.js';
import { everything } from './everything.js';
import { requestOf } from './send.js';
import type { Stage } from './stage.js';
import type { StrictOperation } from './strict-programs.js';
import type { World } from './world.js';

const path = '/srv/data/x';

function rpc(name: string, message: Record<string, unknown>): Call {
  return { kind: 'rpc', procedure: `filesystem.Filesystem/${name}`, codec: 'json', message };
}

const operations: Record<StrictOperation, Call> = {
  stat: rpc('Stat', { path }),
  list: rpc('ListDir', { path }),
  makeDir: rpc('MakeDir', { path }),
  remove: rpc('Remove', { path }),
  move: rpc('Move', { source: path, destination: path }),
  read: { kind: 'download', path },
  write: { kind: 'upload', path, form: false, name: '' },
};

/**
 * The programs of strict mode: what is started for a page that tries nothing. For any other page they have to be the same
 * to the letter, as what pages say is no part of them.
 */
export async function learnStrictPrograms({ mint, broker, world }: Stage): Promise<World['strictPrograms']> {
  const session = await mint({
    subject: 'ann',
    sandbox: { id: 'sandboxone' },
    grants: { ...everything, strict: true, user: 'user' },
  });
  const learnt: World['strictPrograms'] = new Map();
  for (const [operation, call] of Object.entries(operations)) {
    world.arrived.length = 0;
    const draft = draftOf(call, session);
    draft.headers.push(['authorization', `Bearer ${session.token}`]);
    await (await broker.handle(requestOf(draft) as Request)).text();
    for (const arrived of world.arrived) {
      const method = procedureOf(arrived);
      if (method?.name !== 'Start') continue;
      const { process } = messageOf(arrived, method) as { process?: { args: string[] } };
      learnt.set(process?.args[1] ?? '', operation as StrictOperation);
    }
  }
  if (learnt.size !== Object.keys(operations).length) throw new Error('strict mode has other programs');
  return learnt;
}
