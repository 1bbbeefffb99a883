import { describe, expect, test } from 'vitest';
import { type ConnectionOptions, connectionConfig } from '../../../src/control/config.js';
import { Sandbox } from '../../../src/sandbox/sandbox.js';

const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

/** What a JavaScript program may pass, and what TypeScript would not let through. */
const wrong: [string, unknown][] = [
  ['retries', -1],
  ['retries', 1.5],
  ['retries', 11],
  ['retries', '3'],
  ['retries', Number.NaN],
  ['requestTimeoutMs', -1],
  ['requestTimeoutMs', '60000'],
  ['requestTimeoutMs', null],
  ['signal', new AbortController()],
  ['fetch', 'fetch'],
  ['WebSocket', {}],
  ['headers', 'x-a: b'],
  ['headers', { 'x-a': 1 }],
  ['headers', { 'not a name': 'x' }],
  ['headers', { 'x-a': 'two\nlines' }],
  ['headers', { 'X-API-Key': 'e2b_secret' }],
  ['headers', { 'x-access-token': 'secret' }],
  ['headers', { Authorization: 'Bearer secret' }],
  ['headers', { 'e2b-sandbox-id': 'other' }],
  ['traceparent', ''],
  ['traceparent', trace.toUpperCase()],
  ['traceparent', trace.replace(/^00/, 'ff')],
  ['traceparent', trace.replace('b7ad6b7169203331', '0000000000000000')],
  ['traceparent', `${trace}-more`],
  ['logger', 'console'],
  ['logger', null],
  ['onRequest', true],
  ['onResponse', {}],
  ['onRetry', 1],
  ['onError', 'log'],
];

const withKeyOnly: [string, unknown][] = [
  ['apiKey', 5],
  ['apiHeaders', []],
  ['apiHeaders', { 'x-api-key': 'e2b_secret' }],
  ['proxy', 'http://user:secret@127.0.0.1:8080'],
  ['validateApiKey', 'no'],
  ['dangerouslyAllowBrowser', 1],
  ['domain', ''],
];

function refusal(name: string): unknown {
  return expect.objectContaining({
    name: 'InvalidArgumentError',
    code: 'invalid_argument',
    message: expect.stringMatching(new RegExp(`${name} is (?!.*secret)`)),
  });
}

describe('the options of a client', () => {
  test.each([...wrong, ...withKeyOnly])('refuse %s: %o by name, with a key', (name, value) => {
    let thrown: unknown;
    try {
      connectionConfig({ [name]: value } as ConnectionOptions);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toEqual(refusal(name));
  });

  test.each(wrong)('refuse %s: %o by name, with a session', async (name, value) => {
    const session = () => expect.unreachable('the session was asked for');
    const work = Sandbox.connect({ session, [name]: value } as never);
    await expect(work).rejects.toEqual(refusal(name));
  });

  test('are taken when they are right, and those of a call are not kept', () => {
    const options: ConnectionOptions = {
      apiKey: 'e2b_00',
      retries: 0,
      requestTimeoutMs: 0,
      signal: AbortSignal.abort(),
      headers: { 'x-own': 'a' },
      apiHeaders: { authorization: 'Bearer of the dashboard' },
      traceparent: () => trace,
      logger: console,
      validateApiKey: false,
      onRequest: () => undefined,
    };
    const { client, apiHeaders } = connectionConfig(options);
    expect(Object.keys(client).sort()).toEqual(
      ['headers', 'logger', 'onRequest', 'requestTimeoutMs', 'retries', 'traceparent'].sort(),
    );
    expect(apiHeaders).toEqual(options.apiHeaders);
  });
});
