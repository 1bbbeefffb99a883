import { createMarker } from './create-marker.js';
import type { SandboxNetworkInfo } from './network-options.js';
import type { ListedSandbox, SandboxDetail } from './records.js';

export type SandboxState = 'running' | 'paused';

/** What happens to a sandbox at its end time, and whether a request resumes it then. */
export interface SandboxInfoLifecycle {
  onTimeout: 'pause' | 'kill';
  autoResume: boolean;
}

/** What is known of a sandbox. */
export interface SandboxInfo {
  sandboxId: string;
  templateId: string;
  /** The template's name. */
  name?: string;
  /** As it was given at the creation; the mark that `create` adds (see `idempotencyKey`) is left out. */
  metadata: Record<string, string>;
  startedAt: Date;
  /** When it will be killed, or paused if it was created so; of a paused one, when it was paused. */
  endAt: Date;
  state: SandboxState;
  cpuCount: number;
  /** In MiB. */
  memoryMB: number;
  envdVersion: string;
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
    sandboxId: record.sandboxID,
    templateId: record.templateID,
    ...(record.alias && { name: record.alias }),
    metadata,
    startedAt: new Date(record.startedAt),
    endAt: new Date(record.endAt),
    state: record.state,
    cpuCount: record.cpuCount,
    memoryMB: record.memoryMB,
    envdVersion: record.envdVersion,
    ...(typeof allowInternetAccess === 'boolean' && { allowInternetAccess }),
    ...(network && { network }),
    ...(lifecycle && { lifecycle }),
    volumeMounts: record.volumeMounts ?? [],
    ...(domain && { sandboxDomain: domain }),
  };
}
