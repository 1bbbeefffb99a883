import fc from 'fast-check';
import { paths, rpc, seen } from './arbitraries.js';
import type { Call } from './calls.js';

export function filesystemCalls(scratch: string): fc.Arbitrary<Call> {
  const service = 'filesystem.Filesystem';
  const path = paths(scratch);
  const any = seen(scratch);
  // envd makes the directories on the way before it looks at the source, and leaves them.
  const direct = path.map((one) => `${scratch}/${one.split('/').findLast((part) => part !== '')}`);
  const watch = fc.record({ path: fc.constantFrom(`${scratch}/none`, '/etc/passwd', '~nobody/x') });
  const watcher = fc.constant({ watcherId: 'w00000000000000000000' });
  return fc.oneof(
    { weight: 4, arbitrary: rpc(service, 'Stat', fc.record({ path: any })) },
    { weight: 1, arbitrary: rpc(service, 'Stat', fc.constant({ path: `${scratch}/fifo` })) },
    { weight: 4, arbitrary: rpc(service, 'ListDir', fc.record({ path: any, depth: fc.nat(3) })) },
    { weight: 4, arbitrary: rpc(service, 'MakeDir', fc.record({ path })) },
    { weight: 3, arbitrary: rpc(service, 'Move', fc.record({ source: path, destination: direct })) },
    { weight: 2, arbitrary: rpc(service, 'Remove', fc.record({ path })) },
    { weight: 1, arbitrary: rpc(service, 'WatchDir', watch) },
    { weight: 1, arbitrary: rpc(service, 'CreateWatcher', watch) },
    { weight: 1, arbitrary: rpc(service, 'GetWatcherEvents', watcher) },
    { weight: 1, arbitrary: rpc(service, 'RemoveWatcher', watcher) },
  );
}
