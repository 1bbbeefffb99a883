import { type ChildProcess, spawn } from 'node:child_process';
import { type ClientHttp2Session, connect, constants } from 'node:http2';
import type { Duplex } from 'node:stream';
import { connectionWindow, transportSettings } from '../envd/transport-settings.js';
import { closingFds, inheritableFds } from '../os/inheritable-fds.js';
import type { Enclosure } from './enclosure.js';
import { answerOf } from './envd-answer.js';
import { exitOf } from './exit-of.js';
import type { EnvdLaunch } from './isolation.js';

/** What `POST /init` of envd sets for all processes of a sandbox. */
export interface InitSettings {
  readonly envVars: Readonly<Record<string, string>>;
  /** `user` when absent. */
  readonly defaultUser?: string;
  /** The default user's home when absent. */
  readonly defaultWorkdir?: string;
}

const startLimitMs = 15_000;
const keptErrorBytes = 4096;

/** The process that is a sandbox: envd, and below it everything that runs in it. */
export class EnvdProcess {
  /** Requests to envd. */
  readonly session: ClientHttp2Session;
  /** Resolves when envd is gone, for whatever reason: nothing can be asked of the sandbox any more. */
  readonly gone: Promise<void>;
  /** What holds it and all that it started. */
  readonly enclosure: Enclosure;
  readonly #socket: Duplex;
  #closing: Promise<void> | undefined;

  private constructor(child: ChildProcess, enclosure: Enclosure) {
    this.enclosure = enclosure;
    this.#socket = child.stdio[3] as Duplex;
    this.session = connect('http://envd', { ...transportSettings, createConnection: () => this.#socket });
    this.session.once('connect', () => this.session.setLocalWindowSize(connectionWindow));
    // Whoever has a stream on it is told there; the process's end says the rest.
    this.session.on('error', () => {});
    this.gone = new Promise((resolve) => this.session.once('close', () => resolve()));
  }

  /** Resolves when envd answers; rejects with what it (or bubblewrap) said when it does not come up. */
  static async start(launch: EnvdLaunch): Promise<EnvdProcess> {
    const child = spawnDetached(launch);
    const said = keepErrors(child);
    let envd: EnvdProcess | undefined;
    try {
      envd = new EnvdProcess(child, await launch.enclose(child));
      await Promise.race([
        envd.#expect204('GET', '/health'),
        envd.gone.then(() => Promise.reject(new Error('it ended at once'))),
      ]);
      await envd.enclosure.openInternet();
      return envd;
    } catch (error) {
      child.kill('SIGKILL');
      await (envd?.close() ?? exitOf(child));
      throw new Error(`envd did not start: ${said().trim() || (error as Error).message}`, { cause: error });
    }
  }

  get running(): boolean {
    return !this.session.closed && !this.session.destroyed;
  }

  /** Gives every process of the sandbox these settings. */
  async init(settings: InitSettings): Promise<void> {
    await this.#expect204('POST', '/init', JSON.stringify(settings));
  }

  /** Resolves when envd has read everything that was sent to it. */
  async ping(): Promise<void> {
    await new Promise<void>((resolve) => this.session.ping(() => resolve()));
  }

  async #expect204(method: 'GET' | 'POST', path: string, body?: string): Promise<void> {
    const stream = this.session.request(
      { ':method': method, ':path': path },
      { endStream: body === undefined },
    );
    if (body !== undefined) stream.end(body);
    const { status, message } = await answerOf(stream, startLimitMs);
    if (status !== 204) throw new Error(message || `envd answered ${path} with ${status}`);
  }

  /** Ends everything that runs in the sandbox. Resolves when that is done. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    // With an error, so that no answer which this cuts off looks whole.
    this.session.destroy(new Error('the sandbox has ended'), constants.NGHTTP2_CANCEL);
    this.#socket.destroy();
    await this.enclosure.end();
  }
}

function spawnDetached(launch: EnvdLaunch): ChildProcess {
  const [program = '', ...programArgs] = launch.command;
  const { file, args } = closingFds(inheritableFds(), program, programArgs);
  return spawn(file, args, {
    // Where the server was started is none of the sandbox's business.
    cwd: '/',
    env: launch.env,
    stdio: ['ignore', 'ignore', 'pipe', 'pipe', ...Array<'pipe'>(launch.pipes).fill('pipe')],
    // Ctrl-C in the terminal that the server runs in is the server's to handle.
    detached: true,
    ...(launch.uid !== undefined && { uid: launch.uid }),
    ...(launch.gid !== undefined && { gid: launch.gid }),
  });
}

/** What the process says goes wrong, the last of it. */
function keepErrors(child: ChildProcess): () => string {
  let errors = '';
  child.on('error', (error) => {
    errors += error.message;
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString('utf8')).slice(-keptErrorBytes);
  });
  return () => errors;
}
