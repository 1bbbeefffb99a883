import { expect, test } from 'vitest';
import { findSecrets } from '../../broker/find-secrets.js';

const secret = 'e2b_Kéy?>~+/0123';
const bytes = Buffer.from(secret);

test.each([
  ['as it is', secret],
  ['in hex', bytes.toString('hex')],
  ['in HEX', bytes.toString('hex').toUpperCase()],
  ['percent-encoded', [...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')],
  ['in base64', bytes.toString('base64')],
  ['in base64url', bytes.toString('base64url')],
  ...[1, 2, 3].map((offset): [string, string] => [
    `in base64, ${offset} bytes into it`,
    Buffer.from(`${'x'.repeat(offset)}${secret}yy`).toString('base64'),
  ]),
])('a secret is found %s', (_form, text) => {
  expect(findSecrets(`before ${text} after`, [secret, 'another one'])).toEqual([secret]);
});

test('what is no secret is not found', () => {
  expect(findSecrets('an innocent text, e2b_0123', [secret])).toEqual([]);
});
