import { createHmac } from 'node:crypto';
import type { TokenTrick } from '../arbitraries/tokens.js';
import type { Keys } from './keys.js';
import type { LawfulSession } from './session.js';

/** The sessions that whoever tries has tokens of, or has seen. */
export type Sessions = Record<'own' | 'colleague' | 'elsewhere' | 'wide', LawfulSession> & {
  /** Came by an invitation of one's own. */
  guest?: LawfulSession;
};

/** The `Authorization` header that a trick makes. */
export function authorizationOf(trick: TokenTrick, sessions: Sessions, keys: Keys): string | undefined {
  if (trick.how === 'none') return undefined;
  if (trick.how === 'form') return trick.form.replace('%', sessions.own.token);
  return `Bearer ${tokenOf(trick, sessions, keys)}`;
}

export function tokenOf(trick: TokenTrick, sessions: Sessions, keys: Keys): string {
  const { token } = sessions.own;
  switch (trick.how) {
    case 'own':
    case 'colleague':
    case 'elsewhere':
    case 'wide':
      return sessions[trick.how].token;
    case 'guest':
      return (sessions.guest ?? sessions.own).token;
    case 'cut':
      return token.slice(0, trick.number % token.length);
    case 'flip': {
      const at = trick.number % token.length;
      return `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`;
    }
    case 'garbage':
      return 'a.'.repeat(trick.number);
    case 'swap':
      return token.split('.').reverse().join('.');
    case 'repeat':
      return `${token}.${token}`;
    case 'header':
      return signed(trick.change, {}, trick.signature, token, keys);
    case 'claims':
      return signed({}, trick.change, trick.signature, token, keys);
    case 'signed':
      return signed(trick.header, trick.claims, 'right', token, keys);
    case 'none':
    case 'form':
      return '';
  }
}

function signed(
  header: Record<string, unknown>,
  claims: Record<string, unknown>,
  signature: 'old' | 'none' | 'own key' | 'public key' | 'right',
  token: string,
  keys: Keys,
): string {
  const [oldHeader = '', oldClaims = '', oldSignature = ''] = token.split('.');
  const confused = {
    ...(signature === 'none' && { alg: 'none' }),
    ...(signature === 'public key' && { alg: 'HS256' }),
  };
  const input = `${changed(oldHeader, { ...confused, ...header })}.${changed(oldClaims, claims)}`;
  switch (signature) {
    case 'old':
      return `${input}.${oldSignature}`;
    case 'none':
      return `${input}.`;
    case 'own key':
      return `${input}.${keys.signAsAttacker(input).toString('base64url')}`;
    case 'public key':
      return `${input}.${createHmac('sha256', keys.publicText).update(input).digest('base64url')}`;
    case 'right':
      return `${input}.${keys.sign(input).toString('base64url')}`;
  }
}

function changed(part: string, change: Record<string, unknown>): string {
  const old = JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>;
  return Buffer.from(JSON.stringify({ ...old, ...change })).toString('base64url');
}

/** The same token, but for the bits of its last character that mean nothing. */
export function isSameToken(one: string, other: string): boolean {
  const [a, b] = [one, other].map((token) => token.split('.'));
  const bytes = (parts: string[] | undefined) => Buffer.from(parts?.[2] ?? '', 'base64url').toString('hex');
  return a?.length === 3 && b?.length === 3 && a[0] === b[0] && a[1] === b[1] && bytes(a) === bytes(b);
}
