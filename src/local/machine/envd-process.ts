import { type ChildProcess, spawn } from 'node:child_process';
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import type { Duplex } from 'node:stream';
import { connectionWindow, transportSettings } from '../envd/transport-settings.js';
import { closingFds, inheritableFds } from '../os/inheritable-fds.js';
import { allEnded, childrenOf } from '../os/process-end.js';
import { continueTree, stopTree } from '../os/stop-tree.js';

/** How to start envd for one sandbox. */
export interface EnvdLaunch {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Host credentials to take; the server's own when absent. */
  readonly uid?: number;
  readonly gid?: number;
  /** Called once everything has ended. */
  readonly cleanUp: () => Promise<void>;
}

/** What `POST /init` of envd sets for all processes of a sandbox. */
export interface InitSettings {
  readonly envVars: Readonly<Record<string, string>>;
  /** `user` when absent. */
  readonly defaultUser?: string;
  /** The default user's home when absent. */
  readonly defaultWorkdir?: string;
}

const startLimitMs = 15_000;
/** How long envd may take to end by itself before it is killed. */
const endLimitMs = 2_000;
const keptErrorBytes = 4096;

/** The process that is a sandbox: envd, and below it everything that runs in it. */
export class EnvdProcess {
  /** Requests to envd. */
  readonly session: ClientHttp2Session;
  /** Resolves when envd is gone, for whatever reason: nothing can be asked of the sandbox any more. */
  readonly gone: Promise<void>;
  readonly #exited: Promise<void>;
  readonly #child: ChildProcess;
  readonly #socket: Duplex;
  readonly #cleanUp: () => Promise<void>;
  /** In bubblewrap the namespace's first process, which ends after everyone in it, and after bubblewrap itself. */
  #inner: readonly number[] = [];
  #closing: Promise<void> | undefined;
  #errors = '';

  private constructor(child: ChildProcess, launch: EnvdLaunch) {
    this.#child = child;
    this.#cleanUp = launch.cleanUp;
    this.#socket = child.stdio[3] as Duplex;
    this.#exited = new Promise((resolve) => {
      child.once('exit', () => resolve());
      child.once('error', (error) => {
        this.#errors += error.message;
        resolve();
      });
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      this.#errors = (this.#errors + chunk.toString('utf8')).slice(-keptErrorBytes);
    });
    this.session = connect('http://envd', { ...transportSettings, createConnection: () => this.#socket });
    this.session.once('connect', () => this.session.setLocalWindowSize(connectionWindow));
    // Whoever has a stream on it is told there; the process's end says the rest.
    this.session.on('error', () => {});
    this.gone = new Promise((resolve) => this.session.once('close', () => resolve()));
  }

  /** Resolves when envd answers; rejects with what it (or bubblewrap) said when it does not come up. */
  static async start(launch: EnvdLaunch): Promise<EnvdProcess> {
    const { file, args } = closingFds(inheritableFds(), launch.file, launch.args);
    const child = spawn(file, args, {
      // Where the server was started is none of the sandbox's business.
      cwd: '/',
      env: launch.env,
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
      // Ctrl-C in the terminal that the server runs in is the server's to handle.
      detached: true,
      ...(launch.uid !== undefined && { uid: launch.uid }),
      ...(launch.gid !== undefined && { gid: launch.gid }),
    });
    const envd = new EnvdProcess(child, launch);
    try {
      await Promise.race([
        envd.#expect204('GET', '/health'),
        envd.gone.then(() => Promise.reject(new Error('it ended at once'))),
      ]);
      envd.#inner = childrenOf(child.pid!);
      return envd;
    } catch (error) {
      await envd.close();
      throw new Error(`envd did not start: ${envd.#errors.trim() || (error as Error).message}`, {
        cause: error,
      });
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

  /** Stops envd and every process below it where they are. */
  stop(): void {
    for (const pid of this.#inner) stopTree(pid);
  }

  /** Lets them go on. */
  continue(): void {
    for (const pid of this.#inner) continueTree(pid);
  }

  async #expect204(method: 'GET' | 'POST', path: string, body?: string): Promise<void> {
    const stream = this.session.request(
      { ':method': method, ':path': path },
      { endStream: body === undefined },
    );
    stream.setTimeout(startLimitMs, () => stream.destroy(new Error('envd does not answer')));
    if (body !== undefined) stream.end(body);
    const status = await statusOf(stream);
    if (status !== 204) throw new Error(`envd answered ${path} with ${status}`);
  }

  /** Ends everything that runs in the sandbox and removes its files. Resolves when both are done. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    // With an error, so that no answer which this cuts off looks whole.
    this.session.destroy(new Error('the sandbox has ended'), constants.NGHTTP2_CANCEL);
    this.#socket.destroy();
    // envd may have been stopped by a program of the sandbox. The kernel then ends everyone in the namespace.
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), endLimitMs);
    await this.#exited;
    clearTimeout(timer);
    await allEnded(this.#inner, endLimitMs);
    await this.#cleanUp();
  }
}

function statusOf(stream: ClientHttp2Stream): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    stream.once('response', (headers) => {
      stream.resume();
      resolve(headers[':status']);
    });
    stream.once('error', reject);
    stream.once('close', () => reject(new Error('the connection closed')));
  });
}
