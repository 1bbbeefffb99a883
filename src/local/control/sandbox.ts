import { ApiError } from '../http/replies.js';
import type { Machine } from '../machine/machine.js';
import type { MachineFiles } from '../machine/machine-files.js';
import type { CreateRequest } from './requests/create-request.js';
import type { EgressSettings } from './requests/network-request.js';
import type { SandboxSize } from './templates/sandbox-size.js';
import type { TemplateRecipe } from './templates/template-recipe.js';

/** What a sandbox is for as long as it is there, running or not. */
export interface SandboxPlan extends Omit<CreateRequest, 'template' | 'egress' | 'secure'> {
  readonly id: string;
  readonly templateId: string;
  readonly alias?: string;
  readonly recipe: TemplateRecipe;
  readonly size: SandboxSize;
  /** Who has this may do everything in the sandbox; without one, everyone who reaches it may. */
  readonly envdAccessToken?: string;
  /** Needed for the ports of its programs; without one, they are open. */
  readonly trafficAccessToken?: string;
}

/** Between `running` and `paused`, and on the way out. */
export type SandboxState = 'running' | 'pausing' | 'paused' | 'resuming' | 'snapshotting' | 'killing';

/** What a sandbox needs from those who keep it. */
export interface SandboxKeeper {
  /** Starts a machine that goes on with these files, which stay the sandbox's until it is there. */
  boot(files: MachineFiles, egress: EgressSettings, signal: AbortSignal): Promise<Machine>;
  /** Ends the sandbox: its time is over, or its machine went away. */
  end(): void;
  warn(message: string): void;
}

/** A sandbox, from its creation until it is killed: a machine that runs, is frozen, or is only files. */
export class Sandbox {
  readonly plan: SandboxPlan;
  /** Replaced by `PUT /sandboxes/{id}/network`. */
  egress: EgressSettings;
  readonly #keeper: SandboxKeeper;
  readonly #ended = new AbortController();
  #state: SandboxState = 'running';
  /** Absent while it is paused without its memory. */
  #machine: Machine | undefined;
  #files: MachineFiles | undefined;
  /** The last change of state: at most one is under way. */
  #change: Promise<void> = Promise.resolve();
  #ending: Promise<void> | undefined;
  #startedAt = 0;
  #endAt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(plan: SandboxPlan, egress: EgressSettings, machine: Machine, keeper: SandboxKeeper) {
    this.plan = plan;
    this.egress = egress;
    this.#keeper = keeper;
    this.#use(machine);
    this.#begin(plan.timeoutSeconds);
  }

  get id(): string {
    return this.plan.id;
  }

  get templateId(): string {
    return this.plan.templateId;
  }

  get envdAccessToken(): string | undefined {
    return this.plan.envdAccessToken;
  }

  get trafficAccessToken(): string | undefined {
    return this.plan.trafficAccessToken;
  }

  get maskRequestHost(): string | undefined {
    return this.plan.ingress.maskRequestHost;
  }

  get httpsPorts(): readonly number[] {
    return this.plan.ingress.httpsPorts ?? [];
  }

  get state(): SandboxState {
    return this.#state;
  }

  /** Whether requests to it are answered. */
  get isReachable(): boolean {
    return this.#state === 'running' || this.#state === 'snapshotting';
  }

  /** Whether its processes are kept, which are frozen while it is paused. */
  get hasMemory(): boolean {
    return this.#machine !== undefined;
  }

  /** The machine of a reachable sandbox. */
  get machine(): Machine {
    if (!this.#machine) throw new Error(`sandbox ${this.id} has no machine while it is ${this.#state}`);
    return this.#machine;
  }

  /** Of this run, in milliseconds since the epoch, as is `endAt`. */
  get startedAt(): number {
    return this.#startedAt;
  }

  /** When it ends; of a paused one, when it was paused. */
  get endAt(): number {
    return this.#endAt;
  }

  /** Resolves when no change of state is under way. */
  async settled(): Promise<void> {
    let last: Promise<void>;
    do {
      last = this.#change;
      await last.catch(() => {});
    } while (last !== this.#change);
  }

  /** Ends the run that many seconds from now, sooner or later than before. */
  endIn(seconds: number): void {
    this.#endAfter(seconds * 1000);
  }

  /** Lets the sandbox run at least that many seconds from now. */
  extendTo(seconds: number): void {
    if (Date.now() + seconds * 1000 > this.#endAt) this.endIn(seconds);
  }

  /** Does now what is to be done at the end time. Resolves when that is done. */
  async expire(): Promise<void> {
    clearTimeout(this.#timer);
    while (this.#state === 'snapshotting') await this.settled();
    if (this.#state !== 'running') return;
    const { onTimeout, keepMemory } = this.plan.lifecycle;
    if (onTimeout === 'kill') {
      this.#keeper.end();
      // Whoever keeps it tells what goes wrong.
      await this.#ending?.catch(() => {});
      return;
    }
    await this.pause(keepMemory).catch((error: Error) => {
      this.#keeper.warn(`sandbox ${this.id} could not be paused and is ended instead: ${error.message}`);
      this.#keeper.end();
    });
  }

  /**
   * Freezes it, or, without its memory, ends its processes and keeps the files. Whoever asks while that is under
   * way waits for the same. Throws 409 when it is paused already, 404 when it is about to be gone.
   */
  async pause(keepMemory: boolean): Promise<void> {
    while (this.#state === 'snapshotting') await this.settled();
    if (this.#state === 'pausing') return this.#change;
    if (this.#state === 'killing') throw notFound(this.id);
    if (this.#state !== 'running') {
      throw new ApiError(409, `Error pausing sandbox - sandbox '${this.id}' is already paused`);
    }
    clearTimeout(this.#timer);
    const left = this.#endAt - Date.now();
    this.#endAt = Date.now();
    await this.#during('pausing', 'paused', async () => {
      try {
        if (keepMemory) await this.machine.freeze();
        else await this.#drop(this.machine);
      } catch (error) {
        await this.#machine?.thaw().catch(() => {});
        this.#endAfter(Math.max(left, 0));
        throw error;
      }
    });
  }

  /** Lets a paused one go on for that many seconds; without its memory it boots from its files. */
  async resume(seconds: number, keepMemory = true): Promise<void> {
    await this.#during('resuming', 'running', async () => {
      const frozen = this.#machine;
      if (frozen?.running && keepMemory) await frozen.thaw();
      else await this.#reboot(frozen);
      this.#begin(seconds);
    });
  }

  /** A copy of its files. Throws 409 when it is about to change, and 404 when it is not running. */
  async save(): Promise<MachineFiles> {
    while (this.#state === 'snapshotting') await this.settled();
    if (this.#state === 'pausing') {
      throw new ApiError(409, `Sandbox '${this.id}' cannot be snapshotted while in 'pausing' state`);
    }
    if (this.#state !== 'running') throw notFound(this.id);
    let saved: MachineFiles | undefined;
    await this.#during('snapshotting', 'running', async () => {
      saved = await this.machine.saveFiles();
    });
    return saved!;
  }

  /** Ends everything that runs in it and removes its files. */
  kill(): Promise<void> {
    this.#ending ??= this.#kill();
    return this.#ending;
  }

  async #kill(): Promise<void> {
    this.#state = 'killing';
    clearTimeout(this.#timer);
    this.#ended.abort();
    await this.settled();
    await this.#machine?.close();
    await this.#files?.remove();
  }

  /** What it was before is what it is again when that fails, unless it is being killed. */
  async #during(state: SandboxState, after: SandboxState, work: () => Promise<void>): Promise<void> {
    const before = this.#state;
    this.#state = state;
    let next = before;
    this.#change = work()
      .then(() => {
        next = after;
      })
      .finally(() => {
        if (this.#state === state) this.#state = next;
      });
    await this.#change;
  }

  /** A run starts and is timed by one reading of the clock, so that clients see the seconds that they asked for. */
  #begin(seconds: number): void {
    this.#startedAt = Date.now();
    this.#endAfter(seconds * 1000, this.#startedAt);
  }

  #use(machine: Machine): void {
    this.#machine = machine;
    void machine.gone.then(() => this.#lost(machine));
  }

  /** envd went away by itself, or because of us. */
  async #lost(machine: Machine): Promise<void> {
    await this.settled();
    if (this.#machine !== machine || this.#state === 'killing') return;
    if (this.#state !== 'paused') {
      this.#keeper.end();
      return;
    }
    this.#keeper.warn(
      `the processes of paused sandbox ${this.id} were ended from outside; it keeps its files`,
    );
    await this.#during('pausing', 'paused', () => this.#drop(machine)).catch(() => this.#keeper.end());
  }

  /** Keeps only the files. */
  async #drop(machine: Machine): Promise<void> {
    this.#files = await machine.stop();
    this.#machine = undefined;
  }

  async #reboot(frozen: Machine | undefined): Promise<void> {
    if (frozen) await this.#drop(frozen);
    const machine = await this.#keeper.boot(this.#files!, this.egress, this.#ended.signal);
    this.#files = undefined;
    this.#use(machine);
  }

  #endAfter(ms: number, from = Date.now()): void {
    clearTimeout(this.#timer);
    if (this.#state === 'killing') return;
    this.#endAt = from + ms;
    this.#timer = setTimeout(() => void this.expire(), ms);
  }
}

export function notFound(id: string): ApiError {
  return new ApiError(404, `Sandbox "${id}" doesn't exist or you don't have access to it`);
}
