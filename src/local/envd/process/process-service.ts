import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { Code, ConnectError, type HandlerContext, type ServiceImpl } from '@connectrpc/connect';
import {
  type Process,
  type ProcessEvent,
  ProcessEventSchema,
  type ProcessInput,
  Signal,
} from '../../../wire/gen/process/process_pb.js';
import { reasonOf, toConnectError } from '../errors.js';
import { keepaliveMs } from '../keepalive.js';
import type { User, Users } from '../users.js';
import type { ExitStatus } from './exit-status.js';
import { outputEnvelope } from './output-envelope.js';
import type { ProcessTable } from './process-table.js';
import { readyEnvelopes } from './ready-envelopes.js';
import { RunningProcess } from './running-process.js';
import type { Subscriber } from './subscriber.js';

/** The RPC service `process.Process`. */
export function processService(table: ProcessTable, users: Users): ServiceImpl<typeof Process> {
  const userOf = ({ requestHeader }: HandlerContext): User => {
    try {
      return users.ofAuthorization(requestHeader.get('authorization'));
    } catch (error) {
      throw toConnectError(error);
    }
  };
  return {
    list: () => ({
      processes: table
        .list()
        .map(({ config, pid, tag }) => ({ config, pid, ...(tag !== undefined && { tag }) })),
    }),

    async *start(request, context) {
      const user = userOf(context);
      const { process, subscriber } = await table.start(request, user, timeoutOf(context));
      yield* responses(process, subscriber, context);
    },

    async *connect(request, context) {
      const process = table.runningOrEnded(request.process);
      if (process instanceof RunningProcess) {
        yield* responses(process, process.subscribe(), context);
      } else {
        yield { event: event('start', { pid: process.pid }) };
        yield { event: endEvent(process.end) };
      }
    },

    update(request) {
      const process = table.running(request.process);
      const size = request.pty?.size;
      if (!request.pty) return {};
      try {
        process.io.resize(size?.cols ?? 0, size?.rows ?? 0);
      } catch (error) {
        throw new ConnectError(`error resizing tty: ${reasonOf(error)}`, Code.Internal);
      }
      return {};
    },

    async sendInput(request) {
      await sendInput(table.running(request.process), request.input);
      return {};
    },

    async streamInput(requests) {
      let process: RunningProcess | undefined;
      for await (const { event } of received(requests)) {
        if (event.case === 'start') {
          process = table.running(event.value.process);
        } else if (event.case === 'data') {
          if (!process) throw new ConnectError('data came before start', Code.InvalidArgument);
          await sendInput(process, event.value.input);
        } else if (event.case !== 'keepalive') {
          throw new ConnectError('invalid event type', Code.Unimplemented);
        }
      }
      return {};
    },

    sendSignal(request) {
      const process = table.running(request.process);
      if (request.signal !== Signal.SIGKILL && request.signal !== Signal.SIGTERM) {
        throw new ConnectError(`invalid signal: ${request.signal}`, Code.Unimplemented);
      }
      try {
        process.io.kill(request.signal === Signal.SIGKILL ? 'SIGKILL' : 'SIGTERM');
      } catch (error) {
        throw new ConnectError(`error sending signal: ${reasonOf(error)}`, Code.Internal);
      }
      return {};
    },

    async closeStdin(request) {
      try {
        await table.running(request.process).io.closeStdin();
      } catch (error) {
        if (error instanceof ConnectError) throw error;
        throw new ConnectError(`error closing stdin: ${reasonOf(error)}`, Code.Unknown);
      }
      return {};
    },
  };
}

async function* responses(
  process: RunningProcess,
  subscriber: Subscriber,
  context: HandlerContext,
): AsyncGenerator<{ event?: ProcessEvent }> {
  const ready = context.values.get(readyEnvelopes);
  const longestSilenceMs = keepaliveMs(context.requestHeader);
  const leave = (): void => process.unsubscribe(subscriber);
  // Not only in `finally`: connect-node waits for ever to write to a client that left while its window was full.
  context.signal.addEventListener('abort', leave, { once: true });
  try {
    yield { event: event('start', { pid: process.pid }) };
    for (;;) {
      const delivery = await subscriber.next(context.signal, longestSilenceMs);
      if (delivery.type === 'end') {
        yield { event: endEvent(delivery.end) };
        return;
      }
      if (delivery.type === 'keepalive') {
        yield { event: event('keepalive', {}) };
      } else {
        const { kind, chunk } = delivery.output;
        if (ready) ready.push(outputEnvelope(kind, chunk));
        yield ready ? {} : { event: event('data', { output: { case: kind, value: chunk } }) };
      }
    }
  } finally {
    leave();
  }
}

/** The messages of a client; what is wrong with their transport is told apart from what they ask for. */
async function* received<T>(requests: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* requests;
  } catch (error) {
    throw new ConnectError(`error streaming input: ${ConnectError.from(error).rawMessage}`, Code.Unknown);
  }
}

async function sendInput(process: RunningProcess, input: ProcessInput | undefined): Promise<void> {
  const data = input?.input;
  if (!data?.case) throw new ConnectError('invalid input type', Code.Unimplemented);
  try {
    await (data.case === 'pty' ? process.io.writePty(data.value) : process.io.writeStdin(data.value));
  } catch (error) {
    const where = data.case === 'pty' ? 'tty' : 'stdin';
    throw new ConnectError(`error writing to ${where}: ${reasonOf(error)}`, Code.Internal);
  }
}

/** How long the process may live: on `Start` the header is that, not only the stream's deadline. */
function timeoutOf(context: HandlerContext): number | undefined {
  const header = context.requestHeader.get('connect-timeout-ms');
  return header === null ? undefined : Number(header);
}

function endEvent(end: ExitStatus): ProcessEvent {
  return event('end', end);
}

type EventInit = NonNullable<MessageInitShape<typeof ProcessEventSchema>['event']>;

function event<C extends EventInit['case'] & string>(
  name: C,
  value: Extract<EventInit, { case: C }>['value'],
): ProcessEvent {
  return create(ProcessEventSchema, { event: { case: name, value } as EventInit });
}
