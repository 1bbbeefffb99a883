/** A broker's host in one runtime, and all that is behind it: what the cases run against. */

import { randomBytes } from 'node:crypto';
import { Sandbox as KeySandbox } from 'e2b-edge';
import { type LocalServer, startLocalServer } from 'e2b-edge/local';
import { type Observer, startObserver } from '../runtimes/observer.js';
import { envdToken, type FakeE2B, startFakeE2B } from '../unit/broker/support/fake-e2b.js';
import { BrokerClient } from './broker-client.js';
import { givenSecrets } from './given-secrets.js';
import type { ConfigurationName } from './host/configurations.js';
import type { HostSetup } from './host/setup.js';
import { type Host, type HostName, startHost } from './start-host.js';

interface Servers {
  local: LocalServer;
  observer: Observer;
  scripted: FakeE2B;
  host: Host;
  setup: HostSetup;
}

export class BrokerStage {
  readonly runtime: HostName;
  readonly #made = new Set<string>();
  /** What must not get out of the program: all keys and tokens that were used. */
  readonly secrets = new Set<string>();
  /** Those of them that not even a page may have. */
  readonly upstreamSecrets = new Set<string>();
  /** Heads and bodies of what pages were answered. */
  readonly answers: string[] = [];
  #servers: Servers | undefined;

  /** Nothing is started yet: cases are defined before. */
  constructor(runtime: HostName) {
    this.runtime = runtime;
  }

  async start(): Promise<void> {
    const local = await startLocalServer({ logger: { warn: () => undefined } });
    const observer = await startObserver(local.sandboxUrl);
    const scripted = await startFakeE2B();
    const { apiKey, apiUrl, sandboxUrl } = local;
    const setup: HostSetup = {
      upstreams: {
        local: { apiKey, apiUrl, sandboxUrl },
        observed: { apiKey, apiUrl, sandboxUrl: observer.url },
        scripted: { apiKey: scripted.apiKey, apiUrl: scripted.url, sandboxUrl: scripted.url },
      },
      signingKey: randomBytes(32).toString('base64url'),
    };
    const host = await startHost(this.runtime, setup);
    this.#servers = { local, observer, scripted, host, setup };
    for (const secret of [apiKey, scripted.apiKey, setup.signingKey, envdToken]) this.#addUpstream(secret);
  }

  /** The broker of a configuration; the one of `default` has nothing set that need not be. */
  at(name: ConfigurationName): BrokerClient {
    return new BrokerClient(this.host.url, name, {
      onMint: async ({ sandboxId, token }) => {
        this.#made.add(sandboxId);
        this.secrets.add(token);
        await this.#learnToken(sandboxId);
      },
      onAnswer: async (response, isDirect) => {
        const { status, headers } = response;
        const isJson = headers.get('content-type')?.startsWith('application/json');
        const body = isJson ? await response.clone().text() : '';
        for (const secret of givenSecrets(headers, body)) {
          if (isDirect) this.#addUpstream(secret);
          else this.secrets.add(secret);
        }
        if (!isDirect) this.answers.push(`${status} ${JSON.stringify([...headers])} ${body}`);
      },
    });
  }

  get local(): LocalServer {
    return this.#started.local;
  }

  /** Before the envd of the configuration `observed`. */
  get observer(): Observer {
    return this.#started.observer;
  }

  /** What the configuration `scripted` has for E2B. */
  get scripted(): FakeE2B {
    return this.#started.scripted;
  }

  /** Ends the host at once, as a crash does, and starts another one at another port. */
  async killHost(): Promise<void> {
    const { host, setup } = this.#started;
    process.kill(host.pid, 'SIGKILL');
    this.#started.host = await startHost(this.runtime, setup);
  }

  get host(): Host {
    return this.#started.host;
  }

  get setup(): HostSetup {
    return this.#started.setup;
  }

  /** Kills the sandboxes that were made meanwhile. */
  async killSandboxes(): Promise<void> {
    const { apiKey, apiUrl } = this.local;
    const ids = [...this.#made];
    this.#made.clear();
    await Promise.allSettled(ids.map((id) => KeySandbox.kill(id, { apiKey, apiUrl })));
  }

  async close(): Promise<void> {
    if (!this.#servers) return;
    const { host, scripted, observer, local } = this.#servers;
    await host.close();
    await scripted.close();
    await observer.close();
    await local.close();
  }

  /** Takes in an answer that did not come by a {@link BrokerClient}. */
  take(headers: Headers, body: string): void {
    for (const secret of givenSecrets(headers, body)) this.secrets.add(secret);
    this.answers.push(`${JSON.stringify([...headers])} ${body}`);
  }

  /** envd's own token, which the control plane tells who has the key. */
  async #learnToken(sandboxId: string): Promise<void> {
    const { apiKey, apiUrl } = this.local;
    const response = await fetch(`${apiUrl}/sandboxes/${sandboxId}`, { headers: { 'x-api-key': apiKey } });
    const { envdAccessToken } = (await response.json()) as { envdAccessToken?: string };
    if (envdAccessToken) this.#addUpstream(envdAccessToken);
  }

  #addUpstream(secret: string): void {
    this.secrets.add(secret);
    this.upstreamSecrets.add(secret);
  }

  get #started(): Servers {
    if (!this.#servers) throw new Error('The stage is up inside of tests only.');
    return this.#servers;
  }
}
