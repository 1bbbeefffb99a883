import { statfsSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import type { Sandbox } from './sandbox.js';

/**
 * The version whose behaviour this server has. Not newer, because file metadata (0.6.2) is not stored; the
 * official SDK says so instead of losing it.
 */
export const envdVersion = '0.6.1';

/** A constant since clients stopped having ids; still required. */
const clientId = '6532622b';

/** What create and connect answer. */
export function summaryOf(sandbox: Sandbox): Record<string, unknown> {
  return {
    templateID: sandbox.templateId,
    sandboxID: sandbox.id,
    clientID: clientId,
    envdVersion,
    envdAccessToken: sandbox.envdAccessToken,
  };
}

/** An item of a list. The token is left out, as upstream: a list is seen by more eyes. */
export function listedOf(sandbox: Sandbox): Record<string, unknown> {
  const { blocks, bsize } = statfsSync(tmpdir());
  return {
    templateID: sandbox.templateId,
    sandboxID: sandbox.id,
    clientID: clientId,
    envdVersion,
    startedAt: new Date(sandbox.startedAt).toISOString(),
    endAt: new Date(sandbox.endAt).toISOString(),
    state: 'running',
    metadata: sandbox.metadata,
    cpuCount: cpus().length,
    memoryMB: Math.round(totalmem() / 2 ** 20),
    diskSizeMB: Math.round((blocks * bsize) / 2 ** 20),
  };
}

/** Everything about one sandbox. */
export function detailOf(sandbox: Sandbox): Record<string, unknown> {
  return {
    ...listedOf(sandbox),
    envdAccessToken: sandbox.envdAccessToken,
    allowInternetAccess: sandbox.allowInternetAccess,
    lifecycle: { onTimeout: 'kill', autoResume: false },
  };
}
