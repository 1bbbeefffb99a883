import type { ListedSandbox, SandboxDetail } from './records.js';

export type SandboxState = 'running' | 'paused';

/** What is known of a sandbox. */
export interface SandboxInfo {
  sandboxId: string;
  templateId: string;
  /** The template's name. */
  name?: string;
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
  allowInternetAccess?: boolean;
  /** Of clusters of a customer's own. `getInfo` only. */
  sandboxDomain?: string;
}

/** Decodes the control plane's record. */
export function sandboxInfo(record: ListedSandbox | SandboxDetail): SandboxInfo {
  const { domain, allowInternetAccess }: Partial<SandboxDetail> = record;
  return {
    sandboxId: record.sandboxID,
    templateId: record.templateID,
    ...(record.alias && { name: record.alias }),
    metadata: record.metadata ?? {},
    startedAt: new Date(record.startedAt),
    endAt: new Date(record.endAt),
    state: record.state,
    cpuCount: record.cpuCount,
    memoryMB: record.memoryMB,
    envdVersion: record.envdVersion,
    ...(allowInternetAccess !== undefined && { allowInternetAccess }),
    ...(domain && { sandboxDomain: domain }),
  };
}
