import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { SigningKeys } from '../../../src/broker/signing-keys.js';
import { signingSecret } from './secrets.js';

/** A broker's keys, and what signs as they do without the broker's help. */
export interface Keys {
  name: 'HS256' | 'EdDSA' | 'ES256';
  broker: SigningKeys;
  /** Signs with the broker's own key. */
  sign(input: string): Buffer;
  /** Signs with a key of the same kind that is nobody's. */
  signAsAttacker(input: string): Buffer;
  /** What everybody knows of the key, for the mistake of taking it for a secret. */
  publicText: string;
}

const previous = ['a former secret, also of more than thirty-two bytes'];

export function makeKeys(): Keys[] {
  const hmac = (secret: string) => (input: string) => createHmac('sha256', secret).update(input).digest();
  return [
    {
      name: 'HS256',
      broker: { current: signingSecret, previous },
      sign: hmac(signingSecret),
      signAsAttacker: hmac('what an attacker would like to be the secret'),
      publicText: 'e2b-edge',
    },
    pair('EdDSA', () => generateKeyPairSync('ed25519')),
    pair('ES256', () => generateKeyPairSync('ec', { namedCurve: 'P-256' })),
  ];
}

function pair(name: 'EdDSA' | 'ES256', make: () => { publicKey: KeyObject; privateKey: KeyObject }): Keys {
  const [own, attackers] = [make(), make()];
  const signWith =
    ({ privateKey }: { privateKey: KeyObject }) =>
    (input: string) =>
      name === 'EdDSA'
        ? sign(null, Buffer.from(input), privateKey)
        : sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return {
    name,
    broker: { current: { ...own.privateKey.export({ format: 'jwk' }), kid: name }, previous },
    sign: signWith(own),
    signAsAttacker: signWith(attackers),
    publicText: own.publicKey.export({ format: 'pem', type: 'spki' }).toString(),
  };
}
