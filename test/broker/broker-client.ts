/** A page's way to one broker of the host program, and a case's way to the program itself. */

import type { Authorization, Grant, Revocation, Session } from 'e2b-edge/broker';
import { Sandbox, type SessionConnectOptions } from 'e2b-edge/browser';
import { WebSocket } from 'ws';
import type { ConfigurationName } from './host/configurations.js';
import { authorizationHeader, type LoggedEvent } from './host/host-app.js';
import { pageOrigin } from './host/setup.js';

export const everything: Grant = {
  files: [
    { op: 'read', prefix: '/' },
    { op: 'write', prefix: '/' },
  ],
  commands: 'run',
  pty: 'write',
  lifecycle: ['info', 'extend', 'pause', 'kill'],
};

/** What is to know of all that a page gets. */
export interface BrokerWatch {
  onMint(session: Session): Promise<void>;
  /** @param isDirect it is the one that has the sandbox's own token. */
  onAnswer(response: Response, isDirect: boolean): Promise<void>;
}

export class BrokerClient {
  readonly name: ConfigurationName;
  /** Where the broker is mounted, without a slash at the end. */
  readonly url: string;
  readonly #hostUrl: string;
  readonly #watch: BrokerWatch;

  constructor(hostUrl: string, name: ConfigurationName, watch: BrokerWatch) {
    this.#hostUrl = hostUrl;
    this.name = name;
    this.url = `${hostUrl}/${name}`;
    this.#watch = watch;
  }

  /** Sends a request as it is; the path begins after the broker's own. */
  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    // Miniflare packs, and so holds back, what is small.
    headers.set('accept-encoding', 'identity');
    const response = await sendAsBrowser(this.url + path, { ...init, headers });
    await this.#watch.onAnswer(response, isDirectMint(init));
    return response;
  }

  /**
   * Asks for a session as a page does.
   * @param authorization what `authorize` will say; of what is left out, a new sandbox and everything for `ann`.
   */
  mint(authorization: Partial<Authorization> | null = {}, body: unknown = {}): Promise<Response> {
    return this.fetch('/sessions', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        origin: pageOrigin,
        [authorizationHeader]: JSON.stringify(authorization && completed(authorization)),
      },
      body: JSON.stringify(body),
    });
  }

  /** A session with addresses that work outside of a page too. Its sandbox ends with the test. */
  async session(authorization: Partial<Authorization> = {}, body: unknown = {}): Promise<Session> {
    const response = await this.mint(authorization, body);
    if (response.status !== 201) throw new Error(`not minted: ${response.status} ${await response.text()}`);
    const session = (await response.json()) as Session;
    await this.#watch.onMint(session);
    return { ...session, urls: this.#absolute(session.urls) };
  }

  /** The built client on a session. */
  async connect(session?: Session, options: Omit<SessionConnectOptions, 'session'> = {}): Promise<Sandbox> {
    return Sandbox.connect({
      session: session ?? (await this.session()),
      WebSocket: WebSocket as unknown as typeof globalThis.WebSocket,
      ...options,
    });
  }

  /** Changes what `authorize` says of a subject from now on, at refreshes. */
  async setAuthorization(subject: string, authorization: Partial<Authorization> | null): Promise<void> {
    const answer = authorization && completed({ subject, ...authorization });
    const body = JSON.stringify({ [`${this.name}/${subject}`]: answer });
    await (await fetch(`${this.#hostUrl}/test/answers`, { method: 'POST', body })).text();
  }

  /** Ends sessions before their time, as the application does. */
  async revoke(what: Revocation): Promise<void> {
    const body = JSON.stringify({ configuration: this.name, what });
    const response = await fetch(`${this.#hostUrl}/test/revoke`, { method: 'POST', body });
    if (!response.ok) throw new Error(`not revoked: ${await response.text()}`);
  }

  /** What this broker has logged so far. */
  async events(): Promise<LoggedEvent[]> {
    const events = (await (await fetch(`${this.#hostUrl}/test/events`)).json()) as LoggedEvent[];
    return events.filter(({ configuration }) => configuration === this.name);
  }

  /** What was logged of the request that got this answer. */
  async eventOf(response: Response): Promise<LoggedEvent | undefined> {
    const id = response.headers.get('x-request-id');
    return (await this.events()).find(({ requestId }) => requestId === id);
  }

  #absolute(urls: Session['urls']): Session['urls'] {
    return Object.fromEntries(
      Object.entries(urls).map(([name, url]) => [name, new URL(url, this.#hostUrl).href]),
    ) as Session['urls'];
  }
}

function isDirectMint({ body }: RequestInit): boolean {
  return typeof body === 'string' && body.startsWith('{"direct":true');
}

/**
 * Sends once more where the connection had been used before and was closed unanswered, as browsers do: workerd closes one
 * whose last upload it refused unread.
 */
export async function sendAsBrowser(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (error) {
    const { code } = ((error as Error).cause ?? {}) as { code?: string };
    if (code !== 'UND_ERR_SOCKET' || init.body instanceof ReadableStream) throw error;
    return fetch(url, init);
  }
}

function completed(authorization: Partial<Authorization>): Authorization {
  return { subject: 'ann', sandbox: { template: 'base' }, grants: everything, ...authorization };
}

/** The header that a page's calls carry. */
export function bearer({ token }: Session): Record<string, string> {
  return { authorization: `Bearer ${token}` };
}
