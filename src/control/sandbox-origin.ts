import { TemplateError } from '../errors.js';
import { isVersionAtLeast } from '../transport/version.js';
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
  if (isVersionAtLeast(envdVersion, '0.1.0')) return;
  throw new TemplateError(
    `The template's envd is ${envdVersion} and at least 0.1.0 is needed: build the template again.`,
    { code: 'envd_too_old' },
  );
}
