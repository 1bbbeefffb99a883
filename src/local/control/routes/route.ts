import type { IncomingMessage, ServerResponse } from 'node:http';
import { ApiError } from '../../http/replies.js';
import type { CreationKeys } from '../creation-keys.js';
import type { Metrics } from '../metrics.js';
import { notFound, type Sandbox } from '../sandbox.js';
import type { Sandboxes } from '../sandboxes.js';
import type { Templates } from '../templates/templates.js';

/** A request to the control plane by someone who has the key. */
export interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
  readonly sandboxes: Sandboxes;
  readonly templates: Templates;
  readonly creationKeys: CreationKeys<Record<string, unknown>>;
  readonly metrics: Metrics;
  /** The id or the name in the path, where there is one. */
  readonly id: string;
}

export type Action = (call: Call) => void | Promise<void>;

/** A method, a path whose one group is the id, and what it does. */
export type Route = readonly [method: string, path: RegExp, action: Action];

/** Old clients append the id that clients once had. */
export function sandboxIdOf(id: string): string {
  const match = /^([a-z0-9]+)(?:-[^-]*)?$/.exec(id);
  if (!match) throw new ApiError(400, 'Invalid sandbox ID');
  return match[1]!;
}

/** The sandbox of the path, in whatever state but the last. */
export function findSandbox({ sandboxes, id }: Call): Sandbox {
  const sandbox = sandboxes.find(sandboxIdOf(id));
  if (!sandbox || sandbox.state === 'killing') throw notFound(sandboxIdOf(id));
  return sandbox;
}

/** The sandbox of the path, for what only a running one can do: 404 for a paused one, 409 for one between. */
export function findRunning(call: Call): Sandbox {
  const sandbox = findSandbox(call);
  if (sandbox.state === 'paused') throw notFound(sandbox.id);
  if (sandbox.state !== 'running') {
    const doing = { pausing: 'paused', resuming: 'resumed', snapshotting: 'snapshotted', killing: 'killed' };
    throw new ApiError(409, `Sandbox "${sandbox.id}" is being ${doing[sandbox.state]}`);
  }
  return sandbox;
}

export function noContent(response: ServerResponse): void {
  response.writeHead(204).end();
}
