/** The control plane's JSON, as far as it is used here. */

import type { SandboxSummaryRecord } from '../wire/sandbox-summary.js';
import type { SandboxNetworkInfo } from './network-options.js';

/** What a sandbox is created with. */
export interface NewSandbox {
  templateID: string;
  /** Seconds. The server's default is 300. */
  timeout?: number;
  metadata?: Record<string, string>;
  envVars?: Record<string, string>;
  allow_internet_access?: boolean;
  autoPause?: boolean;
  autoPauseMemory?: boolean;
  autoResume?: { enabled: boolean };
  network?: Record<string, unknown>;
  iam?: unknown;
  mcp?: unknown;
  volumeMounts?: VolumeMount[];
}

export interface VolumeMount {
  name: string;
  path: string;
}

/** What create, connect and fork answer. */
export interface SandboxRecord {
  sandboxID: string;
  templateID: string;
  envdVersion: string;
  envdAccessToken?: string;
  trafficAccessToken?: string | null;
  /** Set for clusters of a customer's own. */
  domain?: string | null;
}

/** One entry of what fork answers: either a sandbox or why there is none. */
export interface ForkRecord {
  sandbox?: SandboxRecord;
  error?: { code: number; message: string };
}

export interface ListedSandbox extends SandboxSummaryRecord {
  metadata?: Record<string, string>;
  diskSizeMB: number;
  volumeMounts?: VolumeMount[] | null;
}

export interface SandboxDetail extends ListedSandbox {
  domain?: string | null;
  envdAccessToken?: string;
  allowInternetAccess?: boolean | null;
  network?: SandboxNetworkInfo | null;
  lifecycle?: { onTimeout: 'pause' | 'kill'; autoResume: boolean } | null;
}

export interface SnapshotRecord {
  snapshotID: string;
  names?: string[] | null;
}
