import { randomBytes, randomInt } from 'node:crypto';
import { ApiError } from '../http/replies.js';
import type { Machine } from '../machine/machine.js';
import type { MachineFiles } from '../machine/machine-files.js';
import type { MachineSource } from '../machine/machine-source.js';
import { bootMachine } from './boot.js';
import { type Knock, mayWake } from './knock.js';
import type { Notices } from './notices.js';
import type { CreateRequest } from './requests/create-request.js';
import { type EgressSettings, hasFineRules, wantsInternet } from './requests/network-request.js';
import { Sandbox, type SandboxPlan } from './sandbox.js';
import type { Snapshot } from './templates/snapshots.js';
import type { TemplateName } from './templates/template-name.js';
import type { Templates } from './templates/templates.js';

const idAlphabet = 'abcdefghijklmnopqrstuvwxyz0123456789';
/** How long a sandbox that traffic woke runs at least. */
const leastWakeSeconds = 300;
/** Copying is what a fork waits for, and the disk does not get faster by asking it for more at once. */
const forksAtOnce = 4;

/** Every sandbox of one server, by id. One that has ended is not there. */
export class Sandboxes {
  readonly #machines: MachineSource;
  readonly #templates: Templates;
  readonly #notices: Notices;
  readonly #sandboxes = new Map<string, Sandbox>();
  readonly #starting = new Set<Promise<Sandbox>>();
  readonly #closed = new AbortController();

  constructor(machines: MachineSource, templates: Templates, notices: Notices) {
    this.#machines = machines;
    this.#templates = templates;
    this.#notices = notices;
  }

  /** Those that can be asked now. */
  list(): Sandbox[] {
    return this.all().filter((sandbox) => sandbox.isReachable);
  }

  /** Those that are there, in whatever state. */
  all(): Sandbox[] {
    return [...this.#sandboxes.values()];
  }

  /** One that can be asked now. */
  get(id: string): Sandbox | undefined {
    const sandbox = this.#sandboxes.get(id);
    return sandbox?.isReachable ? sandbox : undefined;
  }

  /** One in whatever state. */
  find(id: string): Sandbox | undefined {
    return this.#sandboxes.get(id);
  }

  /**
   * The sandbox that a request is for. One that is paused is woken, where its lifecycle says so and the request
   * has the sandbox's token; `undefined` when there is none that runs. Throws 403 for a request without it.
   */
  async reach(id: string, knock: Knock): Promise<Sandbox | undefined> {
    const sandbox = this.#sandboxes.get(id);
    while (sandbox && sandbox.state !== 'killing') {
      if (sandbox.isReachable) return sandbox;
      if (sandbox.state === 'paused') {
        // Without its memory it would boot, which is for an explicit request to ask for.
        if (!sandbox.plan.lifecycle.autoResume || !sandbox.hasMemory) return undefined;
        if (!mayWake(sandbox, knock)) throw new ApiError(403, 'permission denied');
        await sandbox.resume(Math.max(sandbox.plan.timeoutSeconds, leastWakeSeconds));
      }
      await sandbox.settled();
    }
    return undefined;
  }

  async create(request: CreateRequest): Promise<Sandbox> {
    const { template, egress, secure, ...rest } = request;
    const { copyFiles, ...build } = await this.#templates.resolve(template);
    this.#noteEgress(egress);
    const size = this.#templates.sizeOf(build.recipe);
    return this.#start({ ...rest, ...build, size, ...newIdentity(secure, rest.ingress) }, egress, copyFiles);
  }

  /** As many sandboxes as asked for, with copies of this one's files; each is made or fails by itself. */
  async fork(
    sandbox: Sandbox,
    count: number,
    timeoutSeconds: number,
  ): Promise<PromiseSettledResult<Sandbox>[]> {
    const files = await sandbox.save();
    this.#notices.once(noMemory);
    const results: PromiseSettledResult<Sandbox>[] = [];
    try {
      while (results.length < count) {
        const batch = Array.from({ length: Math.min(forksAtOnce, count - results.length) }, () =>
          this.#start(
            { ...sandbox.plan, timeoutSeconds, ...newIdentity(isSecure(sandbox), sandbox.plan.ingress) },
            sandbox.egress,
            () => files.copy(),
          ),
        );
        results.push(...(await Promise.allSettled(batch)));
      }
      return results;
    } finally {
      await files.remove();
    }
  }

  /** Keeps its files under a name, or a new id, for others to begin with. */
  async snapshot(sandbox: Sandbox, name: TemplateName | undefined): Promise<Snapshot> {
    const files = await sandbox.save();
    this.#notices.once(noMemory);
    const { id, envs, recipe } = sandbox.plan;
    // Upstream they are in the memory that a snapshot keeps.
    const kept = { ...recipe, envs: { ...recipe.envs, ...envs } };
    return this.#templates.snapshots.add(name, { sandboxId: id, recipe: kept, files });
  }

  /** Ends a sandbox; false when there is none of that id. */
  async kill(id: string): Promise<boolean> {
    const sandbox = this.#sandboxes.get(id);
    if (!sandbox) return false;
    try {
      await sandbox.kill();
    } finally {
      this.#sandboxes.delete(id);
    }
    return true;
  }

  /** Ends all, those included that are just being made. */
  async close(): Promise<void> {
    this.#closed.abort();
    await Promise.allSettled(this.#starting);
    await Promise.all(this.all().map(({ id }) => this.kill(id)));
  }

  /** Replaces where a running sandbox may connect to, as far as that has an effect here. */
  async updateEgress(sandbox: Sandbox, egress: EgressSettings): Promise<void> {
    this.#noteEgress(egress);
    const [had, wants] = [wantsInternet(sandbox.egress), wantsInternet(egress)];
    sandbox.egress = egress;
    if (had && !wants) await sandbox.machine.closeInternet();
    if (!had && wants) this.#notices.once(noReopening);
  }

  /** Says what is stored and shown but has no effect here. */
  #noteEgress(egress: EgressSettings): void {
    if (hasFineRules(egress)) this.#notices.once(noFineRules);
  }

  async #start(
    plan: SandboxPlan,
    egress: EgressSettings,
    makeFiles: (() => Promise<MachineFiles>) | undefined,
  ): Promise<Sandbox> {
    const starting = this.#boot(plan, egress, makeFiles).finally(() => this.#starting.delete(starting));
    this.#starting.add(starting);
    return starting;
  }

  async #boot(
    plan: SandboxPlan,
    egress: EgressSettings,
    makeFiles: (() => Promise<MachineFiles>) | undefined,
  ): Promise<Sandbox> {
    if (this.#closed.signal.aborted) throw new ApiError(503, 'the local server is closing');
    const files = await makeFiles?.();
    const boot = (
      files: MachineFiles | undefined,
      egress: EgressSettings,
      signal: AbortSignal,
    ): Promise<Machine> =>
      bootMachine(this.#machines, { plan, internet: wantsInternet(egress), ...(files && { files }), signal });
    const machine = await boot(files, egress, this.#closed.signal).catch(async (error) => {
      await files?.remove();
      throw error;
    });
    const sandbox = new Sandbox(plan, egress, machine, {
      boot,
      end: () => void this.kill(plan.id).catch((error) => this.#notices.warn(String(error))),
      warn: (message) => this.#notices.warn(message),
    });
    this.#sandboxes.set(plan.id, sandbox);
    return sandbox;
  }
}

type Identity = Pick<SandboxPlan, 'id' | 'envdAccessToken' | 'trafficAccessToken'>;

function newIdentity(secure: boolean, { allowPublicTraffic = true }: SandboxPlan['ingress']): Identity {
  return {
    id: `i${Array.from({ length: 20 }, () => idAlphabet[randomInt(idAlphabet.length)]).join('')}`,
    ...(secure && { envdAccessToken: newToken() }),
    ...(!allowPublicTraffic && { trafficAccessToken: newToken() }),
  };
}

function isSecure(sandbox: Sandbox): boolean {
  return sandbox.envdAccessToken !== undefined;
}

function newToken(): string {
  return randomBytes(32).toString('hex');
}

const noMemory =
  'Snapshots and forks have the files of a sandbox but not its memory: what ran in it does not run in them.';

const noFineRules =
  'Rules for single hosts (allowOut, denyOut, rules) are stored and shown, but not enforced by the local server.';

const noReopening =
  'A sandbox that was created or left without internet access gets it back when it boots again, not before.';
