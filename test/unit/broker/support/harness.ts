/** A broker before the fake service, and a page's calls to it. */

import { create, type DescMethod, toBinary, toJsonString } from '@bufbuild/protobuf';
import type { Authorization } from '../../../../src/broker/authorization.js';
import type { BrokerEvent } from '../../../../src/broker/broker-event.js';
import type { BrokerContext, BrokerOptions } from '../../../../src/broker/broker-options.js';
import { type Broker, createBroker } from '../../../../src/broker/create-broker.js';
import { encodeEnvelope } from '../../../../src/wire/envelope.js';
import type { Grant, Session } from '../../../../src/wire/session.js';
import { type FakeE2B, startFakeE2B } from './fake-e2b.js';

export const origin = 'https://app.example';
export const secret = 'a secret of more than thirty-two bytes';
export const everything: Grant = {
  files: [
    { op: 'read', prefix: '/' },
    { op: 'write', prefix: '/' },
  ],
  commands: 'run',
  pty: 'write',
  lifecycle: ['info', 'extend', 'pause', 'kill'],
};

export interface Harness {
  fake: FakeE2B;
  events: BrokerEvent[];
  /** What `authorize` answers from now on. */
  authorization: Authorization | null;
  send(path: string, init?: RequestInit, context?: BrokerContext<undefined>): Promise<Response>;
  mint(body?: unknown, init?: RequestInit): Promise<Session>;
  /** A fresh session that may do this much. */
  session(grants: Grant, subject?: string): Promise<Session>;
  /** Calls a procedure as a page's client would. */
  rpc<M extends DescMethod>(
    session: Session,
    method: M,
    message: Record<string, unknown>,
    init?: { codec?: 'proto' | 'json'; headers?: Record<string, string>; body?: Uint8Array<ArrayBuffer> },
  ): Promise<Response>;
  revoke: Broker<undefined>['revoke'];
  close(): Promise<void>;
}

export async function startHarness(more: Partial<BrokerOptions<undefined>> = {}): Promise<Harness> {
  const fake = await startFakeE2B();
  const events: BrokerEvent[] = [];
  const broker = createBroker<undefined>({
    apiKey: fake.apiKey,
    apiUrl: fake.url,
    sandboxUrl: fake.url,
    signingKeys: { current: secret },
    origins: [origin],
    basePath: '/api/sandbox',
    limits: { mintsPerMinute: 1000 },
    authorize: () => harness.authorization,
    logger: (event) => events.push(event),
    ...more,
  });
  const harness: Harness = {
    fake,
    events,
    authorization: { subject: 'ann', sandbox: { template: 'base' }, grants: everything },
    send: (path, init, context) =>
      broker(
        new Request(path.startsWith('http') ? path : `https://any.test/api/sandbox${path}`, init),
        context,
      ),
    async mint(body = {}, init = {}) {
      const response = await harness.send('/sessions', {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin },
        body: JSON.stringify(body),
        ...init,
      });
      if (response.status !== 201)
        throw Object.assign(new Error('not minted'), await response.json(), { response });
      return (await response.json()) as Session;
    },
    session(grants, subject = 'ann') {
      harness.authorization = { subject, sandbox: { template: 'base' }, grants };
      return harness.mint();
    },
    rpc(session, method, message, { codec = 'proto', headers = {}, body } = {}) {
      const streaming = method.methodKind !== 'unary';
      const made = create(method.input, message as never);
      const bytes =
        codec === 'proto'
          ? toBinary(method.input, made)
          : new TextEncoder().encode(toJsonString(method.input, made));
      return harness.send(`/envd/${session.sandboxId}/${method.parent.typeName}/${method.name}`, {
        method: 'POST',
        headers: {
          ...bearer(session),
          'content-type': `application/${streaming ? 'connect+' : ''}${codec}`,
          ...headers,
        },
        body: body ?? (streaming ? encodeEnvelope(0, bytes) : (bytes as Uint8Array<ArrayBuffer>)),
      });
    },
    revoke: broker.revoke,
    close: () => fake.close(),
  };
  return harness;
}

export function bearer({ token }: Session): Record<string, string> {
  return { authorization: `Bearer ${token}` };
}

/** The status and the code of a refusal; for a stream of status 200, that of its end. */
export async function refusal(response: Response): Promise<{ status: number; code: string | undefined }> {
  const text = await response.text();
  if (response.headers.get('content-type')?.startsWith('application/connect+')) {
    const end = JSON.parse(text.slice(5)) as { error?: { code: string } };
    return { status: response.status, code: end.error?.code };
  }
  return { status: response.status, code: (JSON.parse(text) as { code: string }).code };
}
