/** Processes of the fake envd: as a test writes them, or this machine's own. */

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { PassThrough, type Readable, type Writable } from 'node:stream';
import { Code, ConnectError, type ServiceImpl } from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import { Process, type ProcessSelector } from '../../../../src/wire/gen/process/process_pb.js';
import type { FakeE2B } from './fake-e2b.js';

export type Processes = Partial<ServiceImpl<typeof Process>>;
type Child = ChildProcessByStdio<Writable | null, Readable, Readable>;

/** Hands what is asked of processes to a test. */
export function answerProcesses(fake: FakeE2B, processes: Processes): void {
  const answer = connectNodeAdapter({ routes: (router) => router.service(Process, processes) });
  fake.onRaw = (request, response) => {
    const isProcess = request.url?.startsWith('/process.Process/') === true;
    if (isProcess) answer(request, response);
    return isProcess;
  };
}

/** The events of a process's stream. */
export const events = {
  start: { event: { event: { case: 'start' as const, value: { pid: 7 } } } },
  output: (kind: 'stdout' | 'stderr', value: Uint8Array | string) => ({
    event: { event: { case: 'data' as const, value: { output: { case: kind, value: Buffer.from(value) } } } },
  }),
  keepalive: { event: { event: { case: 'keepalive' as const, value: {} } } },
  end: (exitCode = 0) => ({
    event: { event: { case: 'end' as const, value: { exitCode, exited: true, status: `exit ${exitCode}` } } },
  }),
};

export interface RealProcesses {
  processes: Processes;
  /** Those that have not ended, by pid. */
  running: Map<number, unknown>;
}

/** Runs what it is asked to, as envd does: a process goes on when nobody listens to it any more. */
export function realProcesses(): RealProcesses {
  const running = new Map<number, Child>();
  const childOf = (process: ProcessSelector | undefined): Child => {
    const child = process?.selector.case === 'pid' ? running.get(process.selector.value) : undefined;
    if (!child) throw new ConnectError('process not found', Code.NotFound);
    return child;
  };
  return {
    running,
    processes: {
      async *start({ process, stdin }) {
        const stdio = [stdin === false ? 'ignore' : 'pipe', 'pipe', 'pipe'] as const;
        const child = spawn(process?.cmd ?? '', process?.args ?? [], {
          cwd: process?.cwd,
          stdio: [...stdio],
        }) as Child;
        await once(child, 'spawn');
        const pid = child.pid as number;
        running.set(pid, child);
        const output = new PassThrough({ objectMode: true });
        for (const kind of ['stdout', 'stderr'] as const) {
          child[kind].on('data', (chunk: Buffer) => output.write(events.output(kind, chunk)));
        }
        child.on('close', (code) => {
          running.delete(pid);
          output.end(events.end(code ?? -1));
        });
        // Who writes to it may be slower to learn of its end.
        child.stdin?.on('error', () => undefined);
        yield { event: { event: { case: 'start', value: { pid } } } };
        yield* output;
      },
      async streamInput(messages) {
        let child: Child | undefined;
        for await (const { event } of messages) {
          if (event.case === 'start') child = childOf(event.value.process);
          if (event.case !== 'data' || event.value.input?.input.case !== 'stdin') continue;
          if (child?.stdin?.write(event.value.input.input.value) === false) await once(child.stdin, 'drain');
        }
        return {};
      },
      closeStdin({ process }) {
        childOf(process).stdin?.end();
        return {};
      },
      sendSignal({ process, signal }) {
        childOf(process).kill(signal);
        return {};
      },
    },
  };
}
