import { describe, expect, test } from 'vitest';
import { parseGrant } from '../../../src/broker/grant.js';
import { readMintRequest } from '../../../src/broker/mint-request.js';

function read(body: unknown) {
  return readMintRequest(
    new Request('https://any.test/', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }),
  );
}

describe('what a page asks for', () => {
  test('is taken as it is, and nothing beside it', async () => {
    expect(await read({})).toStrictEqual({});
    expect(await read({ sandboxId: 'i1', grant: { pty: 'read' }, more: 1 })).toStrictEqual({
      sandboxId: 'i1',
      grant: parseGrant({ pty: 'read' }),
    });
    expect(await read({ direct: true, sandboxId: 'i1' })).toStrictEqual({ sandboxId: 'i1', direct: true });
    expect(await read({ invitation: '', grant: {} })).toStrictEqual({
      invitation: '',
      grant: parseGrant({}),
    });
  });

  test.each([
    { sandboxId: 7 },
    { sandboxId: '' },
    { sandboxId: null },
    { sandboxId: 'a.evil.example' },
    { direct: false },
    { direct: 'yes' },
    { invitation: 7 },
    { invitation: null },
    { direct: true, grant: {} },
    { direct: true, invitation: 'x' },
  ])('is refused as %j', async (body) => {
    await expect(read(body)).rejects.toMatchObject({ code: 'invalid_argument', statusCode: 400 });
  });

  test.each([{ grant: null }, { grant: 'all' }, { grant: { root: true } }])(
    'has no grant like %j',
    async (body) => {
      await expect(read(body)).rejects.toMatchObject({ code: 'invalid_grant', statusCode: 400 });
    },
  );
});
