import type { BrokerCore } from '../../../src/broker/broker-core.js';
import type { Answer } from '../law/judge-answer.js';
import type { Draft } from './draft.js';
import type { Stage } from './stage.js';

/** Longer than anything here takes, by far. */
const patienceMs = 20_000;
const base = 'https://any.test/api/sandbox';

/** The request of a draft; undefined where the web has none of it, as a header with a line break. */
export function requestOf({ method, path, origin, headers, body, breaksOff }: Draft): Request | undefined {
  try {
    const list = new Headers();
    for (const [name, value] of headers) list.append(name, value);
    const hasBody = body !== undefined && method !== 'GET' && method !== 'HEAD';
    const init: RequestInit & { duplex?: 'half' } = { method, headers: list };
    if (hasBody) Object.assign(init, { body: breaksOff ? breaking(body) : body, duplex: 'half' });
    return new Request(`${origin ?? base}${path}`, init);
  } catch {
    return undefined;
  }
}

/** @throws where there is no answer, or none that comes to an end. */
export async function send(broker: BrokerCore<undefined>, request: Request): Promise<Answer> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const patience = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('it hangs')), patienceMs);
  });
  try {
    return await Promise.race([answerOf(await broker.handle(request)), patience]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Asks for a WebSocket. What an app would get of it is among what arrived.
 * @returns a refusal, or undefined where it was accepted.
 */
export async function upgrade({ broker, world }: Stage, request: Request): Promise<Answer | undefined> {
  const refusal = await broker.upgrade<undefined>(
    request,
    {},
    {
      terminal: () => {
        throw new Error('a preview was taken for a terminal');
      },
      preview: ({ url, headers, protocols, leave }) => {
        const list = new Headers({ ...headers, 'sec-websocket-protocol': protocols.join(', ') });
        world.arrived.push({
          method: request.method,
          url: new URL(url),
          headers: new Map(list),
          body: new Uint8Array(),
          redirect: 'manual',
        });
        leave();
        return undefined;
      },
    },
  );
  return refusal && answerOf(refusal);
}

async function answerOf(response: Response): Promise<Answer> {
  const { status, headers } = response;
  try {
    const body = Buffer.from(await response.arrayBuffer()).toString('latin1');
    return { status, headers, body, broken: false };
  } catch {
    return { status, headers, body: '', broken: true };
  }
}

function breaking(body: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream({
    pull(controller) {
      controller.enqueue(body.subarray(0, body.length / 2));
      controller.error(new TypeError('the connection was lost'));
    },
  });
}
