import type { LocalServer } from '../../../../src/local/local-server.js';
import { type RpcOptions, type RpcStream, run, sh, stream } from './rpc.js';
import type { Created } from './server.js';

/** An event of a watcher, as JSON has it. */
export interface Told {
  readonly name: string;
  readonly type: string;
  readonly entry?: Record<string, unknown>;
}

/** A watch on a directory of a sandbox. */
export interface Watch {
  /** What happened since the last call; a file is made to know that everything has come. */
  happened(): Promise<string[]>;
  /** The same with all that is told. */
  told(): Promise<Told[]>;
  readonly stream: RpcStream;
}

let marks = 0;

/** Watches and waits until the watch is on. */
export async function watchDir(
  server: LocalServer,
  sandbox: Created,
  request: { path: string; recursive?: boolean; includeEntry?: boolean },
  options: RpcOptions = {},
): Promise<Watch> {
  const events = await stream(server, sandbox, 'filesystem.Filesystem/WatchDir', request, options);
  const first = await events.next();
  if (first?.start === undefined) throw new Error(`no start: ${JSON.stringify(first ?? events.end)}`);
  const told = async (): Promise<Told[]> => {
    const mark = `mark-${++marks}`;
    await run(server, sandbox, sh(`touch ${request.path}/${mark}; rm ${request.path}/${mark}`));
    const all: Told[] = [];
    for (;;) {
      const message = await events.next();
      if (message === undefined) throw new Error(`ended: ${JSON.stringify(events.end)}`);
      const event = message.filesystem as Told | undefined;
      if (event?.name.startsWith('mark-')) {
        if (event.name === mark && event.type === 'EVENT_TYPE_REMOVE') return all;
      } else if (event) all.push(event);
    }
  };
  return {
    told,
    happened: async () => (await told()).map(short),
    stream: events,
  };
}

export function short({ type, name }: Told): string {
  return `${type.replace('EVENT_TYPE_', '')} ${name}`;
}
