/** Checked by the compiler alone, as `sandbox.ts` is: commands, their handles, and terminals. */

import type * as official from 'e2b';
import type * as edge from 'e2b-edge';

type Accepts<_Given extends Wanted, Wanted> = true;

type Theirs = InstanceType<typeof official.Sandbox>;
type Ours = InstanceType<typeof edge.Sandbox>;

/** Theirs go in. */
export type Options = [
  Accepts<official.CommandStartOpts, edge.CommandStartOpts>,
  Accepts<official.CommandConnectOpts, edge.CommandConnectOpts>,
  Accepts<official.CommandRequestOpts, edge.CommandRequestOpts>,
  Accepts<Parameters<Theirs['pty']['create']>, Parameters<Ours['pty']['create']>>,
  Accepts<Parameters<Theirs['pty']['connect']>, Parameters<Ours['pty']['connect']>>,
  Accepts<Parameters<Theirs['pty']['sendInput']>, Parameters<Ours['pty']['sendInput']>>,
  Accepts<Parameters<Theirs['pty']['resize']>, Parameters<Ours['pty']['resize']>>,
  Accepts<Parameters<Theirs['pty']['kill']>, Parameters<Ours['pty']['kill']>>,
  Accepts<Parameters<Theirs['commands']['sendStdin']>, Parameters<Ours['commands']['sendStdin']>>,
];

/** Ours come out. */
export type Results = [
  Accepts<edge.CommandResult, official.CommandResult>,
  Accepts<edge.ProcessInfo, official.ProcessInfo>,
  Accepts<edge.CommandExitError, official.CommandResult>,
];

/** What there is on theirs is on ours. Both handles are handles. */
export type Members = [
  Accepts<keyof Theirs['commands'], keyof Ours['commands']>,
  Accepts<keyof Theirs['pty'], keyof Ours['pty']>,
  Accepts<keyof official.CommandHandle, keyof edge.CommandHandle>,
  Accepts<edge.PtyHandle, edge.CommandHandle>,
  Accepts<edge.RunningCommand, edge.CommandHandle>,
  Accepts<edge.CommandHandle, Pick<official.CommandHandle, keyof official.CommandHandle>>,
];

/** A program for the official package: its annotations are of one class for commands and terminals. */
export async function program(sandbox: Ours): Promise<edge.CommandResult> {
  const handles: edge.CommandHandle[] = [];
  handles.push(
    await sandbox.commands.run('sleep 1', { background: true, onStdout: (text) => void text.trim() }),
  );
  handles.push(
    await sandbox.commands.connect(1, { timeoutMs: 0, onStderr: async (text) => void text.trim() }),
  );
  handles.push(
    await sandbox.pty.create({ cols: 80, rows: 24, onData: (data) => void data.length, cwd: '/' }),
  );
  handles.push(await sandbox.pty.connect(1, { onData: async (data) => void data.length, timeoutMs: 0 }));
  for (const handle of handles) {
    const state: [number, number | undefined, string | undefined] = [
      handle.pid,
      handle.exitCode,
      handle.error,
    ];
    const text: string = handle.stdout + handle.stderr + state.join();
    await handle.sendStdin(text, { requestTimeoutMs: 1_000 });
    await handle.closeStdin();
    const killed: boolean = await handle.kill();
    if (!killed) await handle.disconnect();
  }
  const either: edge.CommandHandle | edge.CommandResult = await sandbox.commands.run('ls', {
    background: handles.length > 0,
  });
  return 'wait' in either ? either.wait() : either;
}
