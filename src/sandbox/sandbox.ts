import { InvalidArgumentError } from '../errors.js';
import type { CallOptions } from '../transport/call-options.js';
import { callRules, checkOptions } from '../transport/check-options.js';
import type { SandboxMetrics } from '../wire/sandbox-metrics.js';
import type { SandboxSummary } from '../wire/sandbox-summary.js';
import { Commands } from './commands.js';
import { type FileUrlOptions, signedFileUrl } from './file-url.js';
import { Files } from './files.js';
import type { MetricsOptions } from './metrics-options.js';
import type { Preview } from './preview.js';
import { ProcessControls } from './process-controls.js';
import { Pty } from './pty.js';
import type { SandboxParts } from './sandbox-parts.js';
import { openSession, type SessionConnectOptions } from './session-connection.js';
import type { SessionControl } from './session-control.js';
import type {
  Invitation,
  InviteOptions,
  PauseOptions,
  ResumeOptions,
  SessionEnd,
} from './session-options.js';

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
    const { connection, channels, durable } = parts;
    const controls = new ProcessControls(connection);
    this.sandboxId = connection.sandboxId;
    this.files = new Files(connection);
    const logs = durable?.(controls);
    this.commands = new Commands(connection, controls, logs);
    this.pty = new Pty(connection, controls, channels, logs);
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
   * What is known of the sandbox.
   * @throws {PermissionDeniedError} the session's grant has no lifecycle `info`.
   */
  async getInfo(options: CallOptions = {}): Promise<SandboxSummary> {
    return this.#session('getInfo').getInfo(options);
  }

  /**
   * What the sandbox used, every few seconds of its life.
   * @throws {PermissionDeniedError} the session's grant has no lifecycle `info`.
   */
  async getMetrics(options: MetricsOptions = {}): Promise<SandboxMetrics[]> {
    return this.#session('getMetrics').getMetrics(options);
  }

  /**
   * Puts off the end of the sandbox: it lives for at least so long from now on, in milliseconds. With a session it never
   * ends earlier than before.
   * @throws {PermissionDeniedError} the session's grant has no lifecycle `extend`.
   */
  async setTimeout(timeoutMs: number, options: CallOptions = {}): Promise<void> {
    return this.#session('setTimeout').setTimeout(timeoutMs, options);
  }

  /**
   * Pauses the sandbox, with all that runs in it; `resume` lets it go on.
   * @returns false when it is paused already.
   * @throws {PermissionDeniedError} the session's grant has no lifecycle `pause`.
   */
  async pause(options: PauseOptions = {}): Promise<boolean> {
    return this.#session('pause').pause(options);
  }

  /**
   * Makes the sandbox run again, should it be paused.
   * @throws {PermissionDeniedError} the session's grant has no lifecycle `pause`.
   */
  async resume(options: ResumeOptions = {}): Promise<void> {
    return this.#session('resume').resume(options);
  }

  /**
   * Kills the sandbox, with all that runs in it.
   * @returns false when it had ended already.
   * @throws {PermissionDeniedError} the session's grant has no lifecycle `kill`.
   */
  async kill(options: CallOptions = {}): Promise<boolean> {
    return this.#session('kill').kill(options);
  }

  /**
   * Where anybody can read a file, without other credentials. With a session it works for a minute at most, and cannot be
   * taken back.
   */
  async downloadUrl(path: string, options?: FileUrlOptions): Promise<string> {
    return this.#fileUrl('downloadUrl', 'read', path, options);
  }

  /**
   * Where anybody can write a file with a POST of a form (`multipart/form-data`), without other credentials. With a
   * session it works for a minute at most, and cannot be taken back.
   * @param path the file. Without it, which a session may not, the form names it.
   */
  async uploadUrl(path?: string, options?: FileUrlOptions): Promise<string> {
    return this.#fileUrl('uploadUrl', 'write', path, options);
  }

  /**
   * Makes an invitation for another person, who gets a session of their own by it: see `invitationLink`. Their session
   * ends with this one.
   * @throws {PermissionDeniedError} your application does not let this session invite.
   */
  async invite(options: InviteOptions = {}): Promise<Invitation> {
    return this.#session('invite').invite(options);
  }

  /**
   * Opens what listens at a port of the sandbox to this page's browser: its address is for a frame of the page. It stays
   * open until it is closed or the session ends.
   *
   * <!-- example: not run, because it takes a page of the reader's with a frame -->
   * <!-- example: page -->
   * ```ts
   * const preview = await sandbox.openPreview(3000)
   * document.querySelector('iframe')!.src = preview.url
   * ```
   * @param port 1 to 65535.
   * @throws {PermissionDeniedError} the session's grant does not have the port.
   */
  async openPreview(port: number, options: CallOptions = {}): Promise<Preview> {
    return this.#session('openPreview').openPreview(port, options);
  }

  /**
   * Ends the session, and the sandbox too if your application said so when it authorized the session. All that is under
   * way with it fails, here at once and elsewhere within 30 s, with an `AuthenticationError` of code `session_revoked`.
   * One that is over already is no error.
   */
  async endSession(options: CallOptions = {}): Promise<SessionEnd> {
    return this.#session('endSession').endSession(options);
  }

  #fileUrl(
    name: string,
    op: 'read' | 'write',
    path: string | undefined,
    options: FileUrlOptions | undefined,
  ): Promise<string> {
    const { files } = this.#parts;
    return files
      ? signedFileUrl(files, `sandbox.${name}`, op, path, options)
      : this.#session(name).fileUrl(`sandbox.${name}`, op, path, options);
  }

  #session(name: string): SessionControl {
    const { session } = this.#parts;
    if (session) return session;
    throw new InvalidArgumentError(
      `sandbox.${name} needs a session of a broker, and this sandbox was taken up without: with a direct session, or with an API key.`,
      { code: 'session_missing' },
    );
  }
}
