import { randomBytes } from 'node:crypto';
import { controlPlane } from './control/control-plane.js';
import { envdPort } from './control/knock.js';
import { Metrics } from './control/metrics.js';
import { Notices } from './control/notices.js';
import { Sandboxes } from './control/sandboxes.js';
import { Snapshots } from './control/templates/snapshots.js';
import { Templates } from './control/templates/templates.js';
import type { IsolationKind } from './machine/isolation.js';
import { MachineSource } from './machine/machine-source.js';
import { openIsolation } from './machine/open-isolation.js';
import { builtEnvd } from './machine/runtime-files.js';
import { checkOptions, type LocalServerOptions } from './options.js';
import { debugListener } from './routing/debug-listener.js';
import { DebugMachine } from './routing/debug-machine.js';
import type { RequestListener } from './routing/http-server.js';
import { LoopbackServer } from './routing/loopback-server.js';
import { requestListener } from './routing/request-listener.js';

/** A running local sandbox server. */
export interface LocalServer extends AsyncDisposable {
  /** For `apiUrl` or `E2B_API_URL`. */
  readonly apiUrl: string;
  /** For `sandboxUrl` or `E2B_SANDBOX_URL`. The same server; what a request is for is told by its headers. */
  readonly sandboxUrl: string;
  readonly apiKey: string;
  readonly port: number;
  /** What keeps the sandboxes apart from this machine. */
  readonly isolation: IsolationKind;
  /**
   * Ends all sandboxes with everything that runs in them, removes their files, and stops listening. Paused ones
   * and snapshots go with the others: nothing outlives the server.
   */
  close(): Promise<void>;
}

/**
 * Starts a sandbox server on loopback that the official E2B SDKs and e2b-edge can use as if it were E2B's cloud.
 * Unlike there, snapshots and forks have a sandbox's files but not its memory, and whatever starts from files
 * alone (they, and what was paused without memory) runs its template's start command again.
 *
 * @throws `InvalidArgumentError` for a wrong option; `SandboxError` with code `port_in_use`,
 * `listen_failed` or `isolation_unavailable`.
 */
export async function startLocalServer(options: LocalServerOptions = {}): Promise<LocalServer> {
  return startWithEnvd(options, builtEnvd);
}

/** The same with envd built elsewhere, for tests that run from the sources. */
export async function startWithEnvd(options: LocalServerOptions, envdScript: string): Promise<LocalServer> {
  const checked = checkOptions(options);
  const apiKey = checked.apiKey ?? `e2b_${randomBytes(20).toString('hex')}`;
  const { isolation, workspace, first } = await openIsolation(checked, envdScript);
  const source = new MachineSource(isolation, workspace, first);
  const templates = new Templates(checked.templates, new Snapshots(), {
    limits: checked.limits,
    hasImages: isolation.kind === 'bubblewrap',
  });
  const notices = new Notices((message) => checked.logger?.warn(message));
  const sandboxes = new Sandboxes(source, templates, notices);
  const metrics = new Metrics(sandboxes);
  const api = controlPlane({ sandboxes, templates, metrics, apiKey, anyApiKey: checked.anyApiKey });
  const debugMachine = new DebugMachine(source);
  const servers: LoopbackServer[] = [];
  const endAll = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.close()));
    metrics.close();
    try {
      await Promise.all([sandboxes.close(), debugMachine.close(), source.close()]);
    } finally {
      await workspace.remove();
    }
  };
  const { host, origins } = checked;
  const sharesNetwork = isolation.kind === 'none';
  try {
    const listener = (port: number): RequestListener =>
      requestListener({ sandboxes, api, port, origins, sharesNetwork });
    servers.push(await LoopbackServer.listen(host, checked.port, listener));
    if (checked.debug) {
      // The SDKs say `localhost`, which is two addresses.
      servers.push(
        await LoopbackServer.listen('localhost', envdPort, () => debugListener(debugMachine, origins)),
      );
    }
  } catch (error) {
    await endAll();
    throw error;
  }
  const { port } = servers[0]!;

  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= endAll();
    return closing;
  };
  const url = `http://${host === '::1' ? '[::1]' : host}:${port}`;
  return {
    apiUrl: url,
    sandboxUrl: url,
    apiKey,
    port,
    isolation: isolation.kind,
    close,
    [Symbol.asyncDispose]: close,
  };
}
