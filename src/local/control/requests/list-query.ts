import { ApiError } from '../../http/replies.js';
import type { Sandbox } from '../sandbox.js';
import { requireTemplateName } from '../templates/template-name.js';
import type { Templates } from '../templates/templates.js';
import { type Order, type Page, pageOf } from './page.js';

/** How the world outside sees a sandbox: what is about to be paused can be used as if it were. */
export type ListedState = 'running' | 'paused';

export function listedState({ state }: Sandbox): ListedState {
  return state === 'running' || state === 'snapshotting' ? 'running' : 'paused';
}

/** What `GET /v2/sandboxes` asks for. */
export interface SandboxList extends Page<Sandbox> {
  /** How many that fit the filters run; absent when running ones were not asked for. */
  readonly totalRunning?: number;
}

const states: readonly string[] = ['running', 'paused'];

/** Filters, orders and cuts the list as the query says. */
export function listSandboxes(
  all: readonly Sandbox[],
  query: URLSearchParams,
  templates: Templates,
): SandboxList {
  const wanted = parseStates(query);
  const fits = matches(query, templates);
  const found = all.filter((sandbox) => wanted.includes(listedState(sandbox)) && fits(sandbox));
  const page = pageOf(found, ({ startedAt, id }) => [startedAt, id], query, parseOrder(query));
  if (!wanted.includes('running')) return page;
  return { ...page, totalRunning: found.filter((sandbox) => listedState(sandbox) === 'running').length };
}

/** Whether a sandbox has all the metadata that `metadata=` asks for. */
export function hasMetadata(query: URLSearchParams): (sandbox: Sandbox) => boolean {
  const wanted = parseMetadata(query.get('metadata'));
  return ({ plan }) => wanted.every(([key, value]) => plan.metadata[key] === value);
}

function matches(query: URLSearchParams, templates: Templates): (sandbox: Sandbox) => boolean {
  const template = query.get('template');
  const templateId = template ? parseTemplate(template, templates) : undefined;
  const after = parseStartedAfter(query.get('startedAfter'));
  const metadata = hasMetadata(query);
  return (sandbox) =>
    (!template || sandbox.templateId === templateId) && sandbox.startedAt >= after && metadata(sandbox);
}

function parseStates(query: URLSearchParams): string[] {
  const wanted = query
    .getAll('state')
    .flatMap((list) => list.split(','))
    .filter(Boolean);
  const unknown = wanted.find((state) => !states.includes(state));
  if (unknown !== undefined) {
    throw new ApiError(400, `state must be one of ${states.join(', ')}, not '${unknown}'`);
  }
  return wanted.length > 0 ? wanted : [...states];
}

function parseOrder(query: URLSearchParams): Order {
  const order = query.get('order') || 'desc';
  if (order !== 'asc' && order !== 'desc') {
    throw new ApiError(400, `Invalid order parameter: unknown order "${order}"`);
  }
  return order;
}

function parseTemplate(text: string, templates: Templates): string | undefined {
  const name = requireTemplateName(text, 'template');
  if (name.tag !== undefined) {
    throw new ApiError(
      400,
      'Invalid template: tags are not supported here because sandboxes are not tag-scoped',
    );
  }
  return templates.idOf(name);
}

function parseStartedAfter(text: string | null): number {
  if (!text) return 0;
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw new ApiError(400, 'startedAfter must be a date and time');
  return time;
}

/** A query string inside a query value, whose keys and values are encoded once more. */
function parseMetadata(text: string | null): [string, string][] {
  try {
    return [...new URLSearchParams(text ?? '')].map(([key, value]) => [
      decodeURIComponent(key),
      decodeURIComponent(value),
    ]);
  } catch {
    throw new ApiError(400, 'Error parsing metadata: it is not a doubly encoded query string');
  }
}
