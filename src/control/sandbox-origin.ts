import { envdTooOld, envdVersions, isVersionAtLeast } from '../transport/version.js';
import type { ConnectionConfig, ConnectionOptions } from './config.js';
import type { SandboxRecord } from './records.js';

/** What a sandbox object is made from. */
export interface SandboxOrigin {
  /** What the control plane said of it. */
  record: SandboxRecord;
  config: ConnectionConfig;
  /** Those that hold for its later calls too. */
  options: ConnectionOptions;
}

/** The sandbox of the debug mode: the official SDK's name for it, and an envd as new as any. */
export const debugRecord: SandboxRecord = {
  sandboxID: 'debug_sandbox_id',
  templateID: 'base',
  envdVersion: '99.99.99',
};

/** @throws {TemplateError} code `envd_too_old`: nothing of this package would work with it. */
export function requireUsableEnvd({ envdVersion }: SandboxRecord): void {
  const { sandbox } = envdVersions;
  if (!isVersionAtLeast(envdVersion, sandbox)) throw envdTooOld('A sandbox', sandbox, envdVersion);
}
