/** What is known of a sandbox, as control plane and broker tell it. */

export type SandboxState = 'running' | 'paused';

/** What a session may know of its sandbox. */
export interface SandboxSummary {
  sandboxId: string;
  templateId: string;
  /** The template's name. */
  name?: string;
  startedAt: Date;
  /** When it will be killed, or paused if it was created so; of a paused one, when it was paused. */
  endAt: Date;
  state: SandboxState;
  cpuCount: number;
  /** In MiB. */
  memoryMB: number;
  envdVersion: string;
}

/** The same as JSON. */
export interface SandboxSummaryRecord {
  sandboxID: string;
  templateID: string;
  alias?: string;
  startedAt: string;
  endAt: string;
  state: SandboxState;
  cpuCount: number;
  memoryMB: number;
  envdVersion: string;
}

export function sandboxSummary(record: SandboxSummaryRecord): SandboxSummary {
  return {
    sandboxId: record.sandboxID,
    templateId: record.templateID,
    ...(record.alias && { name: record.alias }),
    startedAt: new Date(record.startedAt),
    endAt: new Date(record.endAt),
    state: record.state,
    cpuCount: record.cpuCount,
    memoryMB: record.memoryMB,
    envdVersion: record.envdVersion,
  };
}
