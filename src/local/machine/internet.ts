import { type ChildProcess, spawn } from 'node:child_process';
import { stat } from 'node:fs/promises';
import type { Duplex, Readable } from 'node:stream';
import { closingFds, inheritableFds } from '../os/inheritable-fds.js';
import type { Owner } from './host-ids.js';

/** The sandboxes' resolv.conf: slirp4netns answers there. Where it does not run, nobody can be reached either. */
export const resolverSettings = 'nameserver 10.0.2.3\n';

const device = '/dev/net/tun';
const readyLimitMs = 5_000;

/** Where a network is to be found. */
export interface NetworkPlace {
  /** A process that has it. */
  readonly pid: number;
  /** A descriptor of the namespace of users that it belongs to. */
  readonly users: number;
}

/**
 * A way out of one sandbox's network, by slirp4netns: its programs can reach what the host can, but for the
 * host's loopback. Nothing can come in. It ends with the server, however that ends.
 */
export class Internet {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#ended = new Promise((resolve) => {
      child.once('exit', () => resolve());
      child.once('error', () => resolve());
    });
  }

  /**
   * Into a network whose loopback is up already. `owner` has made it. Rejects with what slirp4netns said when it
   * does not come up.
   */
  static async open(executable: string, place: NetworkPlace, owner: Owner | undefined): Promise<Internet> {
    // It does not have to be root, but for the device, where that is root's alone.
    const ids = (await isForEveryone(device)) ? owner : undefined;
    const args = [
      ...['--configure', '--mtu=65520', '--disable-host-loopback'],
      ...(ids || process.getuid?.() !== 0 ? [] : ['--enable-sandbox', '--enable-seccomp']),
      ...['--exit-fd=3', '--ready-fd=4', '--userns-path=/proc/self/fd/5', '--netns-type=path'],
      ...[`/proc/${place.pid}/ns/net`, 'tap0'],
    ];
    const command = closingFds(inheritableFds(), executable, args);
    const child = spawn(command.file, command.args, {
      cwd: '/',
      env: {},
      stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe', place.users],
      detached: true,
      ...ids,
    });
    const internet = new Internet(child);
    let said = '';
    child.stderr!.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString('utf8')).slice(-1000);
    });
    // Its closing is what ends slirp4netns.
    (child.stdio[3] as Duplex).on('error', () => {});
    try {
      await Promise.race([
        isReady(child.stdio[4] as Readable),
        internet.#ended.then(() => Promise.reject(new Error('it ended at once'))),
      ]);
      return internet;
    } catch (error) {
      await internet.close();
      const reason = said.trim().split('\n').join('; ') || (error as Error).message;
      throw new Error(`slirp4netns: ${reason}`, { cause: error });
    }
  }

  async close(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }
}

function isReady(pipe: Readable): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('it does not get ready')), readyLimitMs);
    pipe.once('data', () => {
      clearTimeout(timer);
      resolve();
    });
    pipe.once('close', () => {
      clearTimeout(timer);
      reject(new Error('it ended at once'));
    });
    pipe.on('error', () => {});
  });
}

async function isForEveryone(path: string): Promise<boolean> {
  const { mode } = await stat(path).catch(() => ({ mode: 0 }));
  return (mode & 0o006) === 0o006;
}
