import { InvalidArgumentError } from '../../errors.js';

/** The most that one sandbox may use. */
export interface Limits {
  /** Processes and threads, envd's own dozen included. */
  readonly processes: number;
  /** Mebibytes of memory, files in memory included; the host's when absent. */
  readonly memoryMb?: number;
  /** Share of the host's processors, 0.5 being half of one; all of them when absent. */
  readonly cpus?: number;
}

/** Enough for a browser with a build beside it; far from what makes a host slow to fork. */
export const defaultLimits: Limits = { processes: 1024 };

/** What one sandbox uses, or has used since it was started. */
export interface Usage {
  /** Time that its processes had a processor, in seconds. */
  readonly cpuSeconds: number;
  /** Without what the kernel could give back at once. */
  readonly memoryBytes: number;
}

/** What envd itself needs to run one program. */
const least: Required<Limits> = { processes: 32, memoryMb: 64, cpus: 0.05 };

/** Throws `InvalidArgumentError` that names the limit which is wrong. */
export function checkLimits(limits: Partial<Limits>): void {
  for (const [name, value] of Object.entries(limits)) {
    const lowest = least[name as keyof Limits];
    if (lowest === undefined)
      throw invalid(`there is no limit '${name}': use ${Object.keys(least).join(', ')}`);
    const whole = name === 'cpus' || Number.isInteger(value);
    if (!(Number.isFinite(value) && whole && value >= lowest)) {
      throw invalid(
        `limits.${name} must be a ${name === 'cpus' ? '' : 'whole '}number of at least ${lowest}`,
      );
    }
  }
}

function invalid(message: string): InvalidArgumentError {
  return new InvalidArgumentError(message, { code: 'invalid_limits' });
}
