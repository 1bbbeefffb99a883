/** What a case of the behaviour suite is, and what it is given. Knows no test runner and no runtime. */

import type * as edgeEntry from 'e2b-edge';
import type * as browserEntry from 'e2b-edge/browser';
import type * as errorsEntry from 'e2b-edge/errors';
import type { Capability } from './capabilities.js';

/** How a case reaches its sandbox: straight with the API key, or through the broker with a session. */
export type Via = 'key' | 'session';

export type Runtime = 'node' | 'deno' | 'bun' | 'workerd' | 'chromium';

/** The sandbox that both entries have in common. */
export type AnySandbox = browserEntry.Sandbox;

/** A local server with a broker before it. */
export interface Endpoint {
  apiUrl: string;
  sandboxUrl: string;
  apiKey: string;
  brokerUrl: string;
}

/** The servers that the suite runs against. Plain JSON, so that it travels into any runtime. */
export interface StageEnv extends Endpoint {
  /** The same server, behind a proxy that counts and can be told to cut; see `Context.observer`. */
  observed: Endpoint;
  /** A server that creates sandboxes and sessions, and whose envd takes requests and never answers. */
  mute: Endpoint;
  /** The same server, with a broker whose tokens end after two seconds. */
  shortLived: Endpoint;
  /** The same, and whose sessions end after four seconds. */
  brief: Endpoint;
  /** The same server, with a broker behind such a proxy: the page's requests are counted and cut. */
  fronted: Endpoint;
  /** The same server, behind a proxy that loses answers to creates as their metadata `lose` says. */
  lossy: Endpoint;
  /** The page that Chromium opens. */
  pageUrl: string;
  /** Where `Context.observer` and `Context.server` are served from. */
  controlUrl: string;
}

/** The package as the runtime loaded it. */
export interface Entries {
  edge: typeof edgeEntry;
  browser: typeof browserEntry;
  errors: typeof errorsEntry;
  /** Only where the runtime has none of its own. */
  WebSocket?: typeof WebSocket;
}

export interface Context extends Entries {
  runtime: Runtime;
  via: Via;
  env: StageEnv;
  /** What every call with the API key is given. */
  key: edgeEntry.SandboxConnectOptions;
  /** A fresh sandbox; it is killed when the case ends. */
  sandbox(at?: Endpoint, options?: browserEntry.ClientOptions): Promise<AnySandbox>;
  /** Creates a sandbox with the API key; it is killed when the case ends. */
  create(options?: edgeEntry.SandboxCreateOptions): Promise<edgeEntry.Sandbox>;
  /** What tells a broker who the case's user is: others may not use its sandboxes. */
  headers: Record<string, string>;
  /** A fresh session of a new sandbox, which is killed when the case ends. */
  session(at?: Endpoint, options?: browserEntry.FetchSessionOptions): Promise<browserEntry.Session>;
  /** Takes up the sandbox of a session. */
  connect(session: browserEntry.Session, options?: browserEntry.ClientOptions): Promise<AnySandbox>;
  /** The options that a runtime without a WebSocket of its own needs. */
  socket: { WebSocket?: typeof WebSocket };
  /** Revokes a session, as an application does with its broker. */
  revoke(session: browserEntry.Session, at?: Endpoint): Promise<void>;
  /** Looks at the wire from the server's side. */
  observer: {
    /** How many requests for a sandbox and a path are being answered. */
    open(sandboxId: string, path: string): Promise<number>;
    /** How many requests for a sandbox and a path came in all. */
    seen(sandboxId: string, path: string): Promise<number>;
    /** The next requests reach envd, and the connection is destroyed in the place of its answer. */
    swallow(sandboxId: string, path: string, times: number): Promise<void>;
    /** The next requests are answered with a status, and do not reach envd. */
    refuse(
      sandboxId: string,
      path: string,
      times: number,
      status: number,
      retryAfter?: string,
    ): Promise<void>;
    /** Destroys the connections of these requests in the middle of their answers. */
    cut(sandboxId: string, path: string): Promise<void>;
  };
  /** Another local server with a broker, in a process that can be killed. */
  server: {
    start(): Promise<Endpoint & { id: string }>;
    kill(id: string): Promise<void>;
  };
}

export interface Case {
  /** A sentence; unique in its suite. */
  name: string;
  /** Only this way, because the case is about it. */
  via?: Via;
  /** What the runtime must be able to do; see `capabilities.ts`. */
  needs?: Capability[];
  /** Programs that the sandbox must have; it has those of the machine. */
  programs?: string[];
  run(context: Context): Promise<void>;
}

export interface Suite {
  name: string;
  cases: Case[];
}
