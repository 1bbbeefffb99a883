import { generateKeyPairSync, randomBytes } from 'node:crypto';
// No entry has them: a token is the broker's own affair.
import { parseGrant } from '../../../dist/broker/grant.js';
import { signToken, verifyToken } from '../../../dist/broker/session-token.js';
import { createKeyRing } from '../../../dist/broker/signing-keys.js';
import { inTurn } from './in-turn.mjs';
import { quantile, summary } from './statistics.mjs';

const checks = 300;

/** What it takes to check a session's token, with each kind of key. */
export async function measureTokens(rounds) {
  const pair = (make) => make().privateKey.export({ format: 'jwk' });
  const kinds = {
    HS256: await tokenOf(randomBytes(32).toString('base64')),
    EdDSA: await tokenOf(pair(() => generateKeyPairSync('ed25519'))),
    ES256: await tokenOf(pair(() => generateKeyPairSync('ec', { namedCurve: 'P-256' }))),
  };
  const medians = Object.fromEntries(Object.keys(kinds).map((name) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    const times = Object.fromEntries(Object.keys(kinds).map((name) => [name, []]));
    for (let turn = 0; turn < checks; turn++) {
      for (const [name, { token, settings }] of inTurn(kinds, turn)) {
        const start = performance.now();
        await verifyToken(token, settings);
        times[name].push(performance.now() - start);
      }
    }
    // The first round warms up.
    if (round > 0) for (const [name, all] of Object.entries(times)) medians[name].push(quantile(all, 0.5));
  }
  return Object.entries(medians).map(([name, all]) => {
    const { median, low, high } = summary(all);
    return { what: `token check, p50: ${name}`, value: median, low, high, unit: 'ms', goal: '≤ 0.3' };
  });
}

async function tokenOf(current) {
  const keys = await createKeyRing()({ current });
  const settings = { keys, issuer: 'e2b-edge', audience: '/', ttlMs: 300_000, sessionLifeMs: 28_800_000 };
  const g = parseGrant({ files: [{ op: 'read', prefix: '/' }], commands: 'run', pty: 'write' });
  const claims = {
    sub: 'ann',
    sid: crypto.randomUUID(),
    sbx: 'bench',
    g,
    auth_time: Math.floor(Date.now() / 1000),
  };
  return { token: (await signToken(claims, settings)).token, settings };
}
