import { randomBytes, randomInt } from 'node:crypto';
import type { MachineSource } from '../machine/machine-source.js';
import type { CreateRequest } from './create-request.js';
import { Sandbox } from './sandbox.js';

const idAlphabet = 'abcdefghijklmnopqrstuvwxyz0123456789';

/** Every sandbox of one server, by id. One that has ended is not there. */
export class Sandboxes {
  readonly #running = new Map<string, Sandbox>();
  readonly #machines: MachineSource;
  readonly #starting = new Set<Promise<Sandbox>>();
  readonly #ending = new Set<Promise<void>>();

  constructor(machines: MachineSource) {
    this.#machines = machines;
  }

  /** Those that run now. */
  list(): Sandbox[] {
    return [...this.#running.values()];
  }

  get(id: string): Sandbox | undefined {
    return this.#running.get(id);
  }

  async create(request: CreateRequest): Promise<Sandbox> {
    const starting = this.#start(request).finally(() => this.#starting.delete(starting));
    this.#starting.add(starting);
    return starting;
  }

  async #start(request: CreateRequest): Promise<Sandbox> {
    const id = `i${Array.from({ length: 20 }, () => idAlphabet[randomInt(idAlphabet.length)]).join('')}`;
    const machine = await this.#machines.take();
    await machine.init({
      envVars: {
        ...request.envs,
        E2B_SANDBOX: 'true',
        E2B_SANDBOX_ID: id,
        E2B_TEMPLATE_ID: request.templateId,
      },
    });
    const end = (): void => void this.kill(id);
    const sandbox = new Sandbox(id, randomBytes(32).toString('hex'), request, machine, end);
    this.#running.set(id, sandbox);
    void machine.gone.then(end);
    return sandbox;
  }

  /** Ends a sandbox; false when there is none of that id. */
  async kill(id: string): Promise<boolean> {
    const sandbox = this.#running.get(id);
    if (!sandbox) return false;
    this.#running.delete(id);
    const ending = sandbox.close().finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
    await ending;
    return true;
  }

  /** Ends all, those included that are just being made. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#starting);
    await Promise.all(this.list().map(({ id }) => this.kill(id)));
    await Promise.all(this.#ending);
  }
}
