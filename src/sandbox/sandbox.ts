import type { CallOptions } from '../transport/call-options.js';
import { callRules, checkOptions } from '../transport/check-options.js';
import { Commands } from './commands.js';
import { Files } from './files.js';
import { ProcessControls } from './process-controls.js';
import { Pty } from './pty.js';
import type { SandboxParts } from './sandbox-parts.js';
import { openSession, type SessionConnectOptions } from './session-connection.js';

/**
 * A running sandbox, reached with a session of your own broker: no API key, no token of envd.
 *
 * <!-- example: page -->
 * ```ts
 * const sandbox = await Sandbox.connect({
 *   session: ({ sandboxId }) => fetchSession('/api/sandbox', { sandboxId }),
 * })
 * ```
 */
export class Sandbox {
  readonly sandboxId: string;
  readonly files: Files;
  readonly commands: Commands;
  readonly pty: Pty;
  readonly #parts: SandboxParts;

  /** Use `connect`. @internal */
  constructor(parts: SandboxParts) {
    const { connection, channels } = parts;
    const controls = new ProcessControls(connection);
    this.sandboxId = connection.sandboxId;
    this.files = new Files(connection);
    this.commands = new Commands(connection, controls);
    this.pty = new Pty(connection, controls, channels);
    this.#parts = parts;
  }

  /**
   * Takes up a sandbox with a session.
   * @throws {InvalidArgumentError} code `invalid_session`: what the source gave is none.
   * @throws whatever the session function throws.
   */
  static async connect(options: SessionConnectOptions): Promise<Sandbox> {
    return new Sandbox(await openSession(options));
  }

  /** The version of the sandbox's envd. */
  get envdVersion(): string {
    return this.#parts.connection.envdVersion;
  }

  /**
   * Whether the sandbox runs. False when it was killed or reached its end time.
   * @throws {ConnectionError} it could not be asked.
   */
  async isRunning(options: CallOptions = {}): Promise<boolean> {
    checkOptions('sandbox.isRunning', options, callRules);
    return this.#parts.connection.isRunning(options);
  }

  /**
   * Kills the sandbox, with all that runs in it.
   * @returns false when it had ended already.
   * @throws {PermissionDeniedError} the session's grant does not have `kill`.
   */
  async kill(options: CallOptions = {}): Promise<boolean> {
    checkOptions('sandbox.kill', options, callRules);
    return this.#parts.kill(options);
  }
}
