import { type SandboxSummary, sandboxSummary } from '../wire/sandbox-summary.js';
import { createMarker } from './create-marker.js';
import type { SandboxNetworkInfo } from './network-options.js';
import type { ListedSandbox, SandboxDetail } from './records.js';

/** What happens to a sandbox at its end time, and whether a request resumes it then. */
export interface SandboxInfoLifecycle {
  onTimeout: 'pause' | 'kill';
  autoResume: boolean;
}

/** What is known of a sandbox. */
export interface SandboxInfo extends SandboxSummary {
  /** As it was given at the creation; the mark that `create` adds (see `idempotencyKey`) is left out. */
  metadata: Record<string, string>;
  /** Whether its programs reach the internet, where that was said when it was created. `getInfo` only. */
  allowInternetAccess?: boolean | undefined;
  /** `getInfo` only. */
  network?: SandboxNetworkInfo;
  /** `getInfo` only. */
  lifecycle?: SandboxInfoLifecycle;
  volumeMounts?: Array<{ name: string; path: string }>;
  /** Of clusters of a customer's own. `getInfo` only. */
  sandboxDomain?: string;
}

/** Decodes the control plane's record. */
export function sandboxInfo(record: ListedSandbox | SandboxDetail): SandboxInfo {
  const { domain, allowInternetAccess, network, lifecycle }: Partial<SandboxDetail> = record;
  const { [createMarker]: _mark, ...metadata } = record.metadata ?? {};
  return {
    ...sandboxSummary(record),
    metadata,
    ...(typeof allowInternetAccess === 'boolean' && { allowInternetAccess }),
    ...(network && { network }),
    ...(lifecycle && { lifecycle }),
    volumeMounts: record.volumeMounts ?? [],
    ...(domain && { sandboxDomain: domain }),
  };
}
