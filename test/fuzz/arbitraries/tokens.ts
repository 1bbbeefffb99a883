import fc from 'fast-check';

/** A token as a page may send one: a good one, one that is not its own, or one that nobody gave it. */
export type TokenTrick =
  | { how: 'own' | 'colleague' | 'elsewhere' | 'wide' | 'guest' | 'none' }
  /** Changed without a key. */
  | { how: 'cut' | 'flip' | 'garbage' | 'swap' | 'repeat'; number: number }
  /** Its header or claims changed, the signature left as it was, taken off, or made with a key of the attacker's. */
  | {
      how: 'header' | 'claims';
      change: Record<string, unknown>;
      signature: 'old' | 'none' | 'own key' | 'public key';
    }
  /** Signed rightly, as by another of the application's services, and still not a session's token. */
  | { how: 'signed'; header: Record<string, unknown>; claims: Record<string, unknown> }
  /** A good one, sent in another way. */
  | { how: 'form'; form: string };

const signature = fc.constantFrom('old' as const, 'none' as const, 'own key' as const, 'public key' as const);

const headerChanges = fc.constantFrom<Record<string, unknown>[]>(
  {},
  { alg: 'none' },
  { alg: 'NONE' },
  { alg: 'HS256' },
  { alg: 'HS384' },
  { alg: 'RS256' },
  { alg: 'ES256' },
  { alg: 'EdDSA' },
  { alg: '' },
  { alg: null },
  { kid: 'none' },
  { kid: '__proto__' },
  { kid: '../../dev/null' },
  { kid: 7 },
  { kid: undefined },
  { typ: 'JWT' },
  { typ: undefined },
  { crit: ['exp'], exp: 1 },
  { jku: 'https://evil.test/jwks.json' },
  { jwk: { kty: 'oct', k: 'YQ' }, kid: undefined },
  { b64: false, crit: ['b64'] },
  { zip: 'DEF' },
);
const claimChanges = fc.constantFrom<Record<string, unknown>[]>(
  {},
  { sub: 'bob' },
  { sbx: 'sandboxbob' },
  { sid: 'x' },
  { exp: 9999999999 },
  { g: { commands: 'run', pty: 'write', files: [{ op: 'read', prefix: '/' }], lifecycle: ['kill'] } },
  { own: 'bob' },
);
/** Each alone makes the token no session's, however well it is signed. */
const wrongHeaders = fc.constantFrom<Record<string, unknown>[]>(
  { typ: 'JWT' },
  { typ: 'at+jwt' },
  { typ: undefined },
  { typ: 'e2b-invitation+jwt' },
  { typ: 'e2b-preview+jwt' },
  { crit: ['x'], x: 1 },
);
const wrongClaims = fc.constantFrom<Record<string, unknown>[]>(
  { iss: 'other' },
  { iss: undefined },
  { aud: 'other' },
  { aud: undefined },
  { aud: [] },
  { exp: 1 },
  { exp: undefined },
  { exp: '9999999999' },
  { nbf: 9999999999 },
  { iat: 9999999999 },
  { iat: undefined },
  { auth_time: 1 },
  { auth_time: 9999999999 },
  { auth_time: undefined },
  { auth_time: 'now' },
  { sub: undefined },
  { sub: 7 },
  { sid: undefined },
  { sid: {} },
  { jti: undefined },
  { sbx: 'sandbox/../x' },
  { sbx: undefined },
  { sbx: 'sandboxone.evil.test' },
  { g: undefined },
  { g: {}, sbx: 7 },
  { g: { admin: true } },
  { g: { commands: 'all' } },
  { g: null },
);

export const tokenTricks: fc.Arbitrary<TokenTrick> = fc.oneof(
  { weight: 40, arbitrary: fc.constant({ how: 'own' } as const) },
  {
    weight: 5,
    arbitrary: fc
      .constantFrom('colleague', 'elsewhere', 'wide', 'guest', 'guest', 'none')
      .map((how) => ({ how }) as TokenTrick),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      how: fc.constantFrom(
        'cut' as const,
        'flip' as const,
        'garbage' as const,
        'swap' as const,
        'repeat' as const,
      ),
      number: fc.nat(2000),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ how: fc.constant('header' as const), change: headerChanges, signature }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      how: fc.constant('claims' as const),
      change: claimChanges,
      signature: fc.constantFrom('old' as const, 'none' as const, 'own key' as const),
    }),
  },
  { weight: 2, arbitrary: wrongClaims.map((claims) => ({ how: 'signed' as const, header: {}, claims })) },
  { weight: 1, arbitrary: wrongHeaders.map((header) => ({ how: 'signed' as const, header, claims: {} })) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(
        'Bearer  %',
        'bearer %',
        'Basic %',
        '%',
        'Bearer %, Bearer x',
        'Bearer x, Bearer %',
        'Bearer "%"',
        'Bearer % x',
        'Token %',
      )
      .map((form) => ({ how: 'form' as const, form })),
  },
);
