import { onTestFinished } from 'vitest';
import { bubblewrapIsolation, findBubblewrap } from '../../../../src/local/machine/bubblewrap.js';
import { Cgroups } from '../../../../src/local/machine/cgroups.js';
import { possibleIds } from '../../../../src/local/machine/host-ids.js';
import { InternetAccess } from '../../../../src/local/machine/internet-access.js';
import type { Isolation } from '../../../../src/local/machine/isolation.js';
import { defaultLimits } from '../../../../src/local/machine/limits.js';
import type { Machine } from '../../../../src/local/machine/machine.js';
import {
  type MachineRequest,
  MachineSource,
  startMachine,
} from '../../../../src/local/machine/machine-source.js';
import { noIsolation } from '../../../../src/local/machine/no-isolation.js';
import { copyRuntime } from '../../../../src/local/machine/runtime-files.js';
import { Workspace } from '../../../../src/local/machine/workspace.js';
import { bundledEnvd } from './server.js';

/** What this host may give to sandboxes, from the best to nothing at all. */
export const kinds = ['bubblewrap', 'bubblewrap with one user and no control groups', 'none'] as const;
export type Kind = (typeof kinds)[number];

/** A source of machines that ends with the test. */
export async function openSource(kind: Kind): Promise<MachineSource> {
  return (await openMachines(kind)).source;
}

/** The same, with the directory that their files are in. */
export async function openMachines(kind: Kind): Promise<{ source: MachineSource; workspace: Workspace }> {
  const ids = possibleIds()[kind === 'bubblewrap' ? 0 : possibleIds().length - 1]!;
  const workspace = await Workspace.create(kind === 'none' ? undefined : ids);
  onTestFinished(() => workspace.remove());
  const runtime = await copyRuntime(await bundledEnvd(), workspace.runtimePath);
  const isolation: Isolation =
    kind === 'none'
      ? noIsolation(runtime)
      : await bubblewrapIsolation(
          {
            executable: (await findBubblewrap())!,
            ids,
            cgroups: kind === 'bubblewrap' ? workspace.cgroups : Cgroups.none,
            limits: defaultLimits,
            internet: await InternetAccess.find(ids.launcher),
          },
          workspace,
          runtime,
        );
  const source = new MachineSource(isolation, workspace, await startMachine(isolation, workspace, {}));
  onTestFinished(() => source.close());
  return { source, workspace };
}

/** A machine that ends with the test. */
export async function take(source: MachineSource, request: MachineRequest = {}): Promise<Machine> {
  const machine = await source.take(request);
  onTestFinished(() => machine.close());
  return machine;
}

/** What a shell command in a machine prints, `user`'s unless another is named. */
export async function shellIn(machine: Machine, command: string, user = 'user'): Promise<string> {
  const events = await start(machine, command, user);
  let text = '';
  for await (const { event } of events) {
    const { stdout, stderr } = event?.data ?? {};
    text += Buffer.from(stdout ?? stderr ?? '', 'base64').toString('utf8');
  }
  return text;
}

/** Starts a shell command and leaves it running. */
export async function launchIn(machine: Machine, command: string, user = 'user'): Promise<void> {
  for await (const { event } of await start(machine, command, user)) if (event?.start) return;
}

interface Message {
  readonly event?: { start?: unknown; data?: { stdout?: string; stderr?: string } };
}

async function start(machine: Machine, command: string, user: string): Promise<AsyncIterable<Message>> {
  const stream = machine.request(
    {
      ':method': 'POST',
      ':path': '/process.Process/Start',
      'content-type': 'application/connect+json',
      'connect-protocol-version': '1',
      authorization: `Basic ${btoa(`${user}:`)}`,
    },
    { endStream: false },
  );
  // Told to whoever reads, who may have left.
  stream.on('error', () => {});
  const body = Buffer.from(
    JSON.stringify({ process: { cmd: '/bin/sh', args: ['-c', command] }, stdin: false }),
  );
  const head = Buffer.alloc(5);
  head.writeUInt32BE(body.length, 1);
  stream.end(Buffer.concat([head, body]));
  return messages(stream);
}

async function* messages(stream: AsyncIterable<Buffer>): AsyncIterable<Message> {
  let unread = Buffer.alloc(0);
  for await (const chunk of stream) {
    unread = Buffer.concat([unread, chunk]);
    while (unread.length >= 5 && unread.length >= 5 + unread.readUInt32BE(1)) {
      const end = 5 + unread.readUInt32BE(1);
      if (unread[0] === 0) yield JSON.parse(unread.subarray(5, end).toString('utf8')) as Message;
      unread = unread.subarray(end);
    }
  }
}
