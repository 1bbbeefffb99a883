import type { Machine } from '../machine/machine.js';
import type { MachineSource } from '../machine/machine-source.js';

/** What the official SDKs call the one sandbox of their debug mode. */
const id = 'debug_sandbox_id';

/** The one sandbox of the debug mode. It has no end time; when it goes away nevertheless, another takes its place. */
export class DebugMachine {
  readonly #machines: MachineSource;
  #current: Promise<Machine> | undefined;

  constructor(machines: MachineSource) {
    this.#machines = machines;
  }

  get(): Promise<Machine> {
    const start = (): Promise<Machine> => this.#start();
    this.#current = this.#current?.then((machine) => (machine.running ? machine : start()), start) ?? start();
    return this.#current;
  }

  async close(): Promise<void> {
    await this.#current?.then(
      (machine) => machine.close(),
      () => {},
    );
  }

  async #start(): Promise<Machine> {
    const machine = await this.#machines.take();
    try {
      await machine.init({ envVars: { E2B_SANDBOX: 'true', E2B_SANDBOX_ID: id, E2B_TEMPLATE_ID: 'base' } });
      void machine.gone.then(() => machine.close());
      return machine;
    } catch (error) {
      await machine.close();
      throw error;
    }
  }
}
