/** The control plane's JSON, as far as it is used here. */

/** What a sandbox is created with. */
export interface NewSandbox {
  templateID: string;
  /** Seconds. The server's default is 300. */
  timeout?: number;
  metadata?: Record<string, string>;
  envVars?: Record<string, string>;
  allow_internet_access?: boolean;
  autoPause?: boolean;
  autoResume?: { enabled: boolean };
  network?: Record<string, unknown>;
}

/** What create and connect answer. */
export interface SandboxRecord {
  sandboxID: string;
  templateID: string;
  envdVersion: string;
  envdAccessToken?: string;
  trafficAccessToken?: string | null;
  /** Set for clusters of a customer's own. */
  domain?: string | null;
}

export interface ListedSandbox {
  sandboxID: string;
  templateID: string;
  alias?: string;
  metadata?: Record<string, string>;
  startedAt: string;
  endAt: string;
  state: 'running' | 'paused';
  cpuCount: number;
  memoryMB: number;
  diskSizeMB: number;
  envdVersion: string;
}

export interface SandboxDetail extends ListedSandbox {
  domain?: string | null;
  envdAccessToken?: string;
  allowInternetAccess?: boolean;
}
