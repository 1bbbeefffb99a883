import { readJson } from '../../http/read-json.js';
import { replyJson } from '../../http/replies.js';
import { createDefaults, parseCreate } from '../requests/create-request.js';
import { parseObject } from '../requests/fields.js';
import { hasMetadata, listSandboxes } from '../requests/list-query.js';
import { parseEgress } from '../requests/network-request.js';
import { notFound } from '../sandbox.js';
import { detailOf, listedOf, summaryOf } from '../sandbox-json.js';
import { type Action, findRunning, findSandbox, noContent, type Route, sandboxIdOf } from './route.js';

const create =
  (version: 'v1' | 'v2'): Action =>
  async ({ request, response, sandboxes, creationKeys }) => {
    const asked = parseCreate(await readJson(request), createDefaults[version]);
    const key = request.headers['idempotency-key'];
    const answer = creationKeys.answer(key, { version, asked }, async () =>
      summaryOf(await sandboxes.create(asked)),
    );
    replyJson(response, 201, await answer);
  };

const list: Action = ({ response, query, sandboxes, templates }) => {
  const { items, nextToken, totalRunning } = listSandboxes(sandboxes.all(), query, templates);
  if (nextToken !== undefined) response.setHeader('x-next-token', nextToken);
  if (totalRunning !== undefined) response.setHeader('x-total-running', totalRunning);
  replyJson(response, 200, items.map(listedOf));
};

/** The first version knows running sandboxes only, and no pages. */
const listV1: Action = ({ response, query, sandboxes }) => {
  const found = sandboxes.list().filter(hasMetadata(query));
  found.sort((a, b) => b.startedAt - a.startedAt);
  replyJson(response, 200, found.map(listedOf));
};

const detail: Action = (call) => replyJson(call.response, 200, detailOf(findSandbox(call)));

const kill: Action = async ({ response, sandboxes, id }) => {
  const sandboxId = sandboxIdOf(id);
  if (!(await sandboxes.kill(sandboxId))) throw notFound(sandboxId);
  noContent(response);
};

const updateNetwork: Action = async (call) => {
  const network = parseObject(await readJson(call.request), 'body');
  const egress = parseEgress(network, network.allow_internet_access, '');
  await call.sandboxes.updateEgress(findRunning(call), egress);
  noContent(call.response);
};

/** What logs there are upstream is envd's own, which is not kept here; a client that looks finds none. */
const logs: Action = (call) => {
  findSandbox(call);
  replyJson(call.response, 200, { logs: [], logEntries: [] });
};

const logsV2: Action = (call) => {
  findSandbox(call);
  replyJson(call.response, 200, { logs: [] });
};

export const sandboxRoutes: readonly Route[] = [
  ['POST', /^\/sandboxes$/, create('v1')],
  ['POST', /^\/v2\/sandboxes$/, create('v2')],
  ['GET', /^\/sandboxes$/, listV1],
  ['GET', /^\/v2\/sandboxes$/, list],
  ['GET', /^\/sandboxes\/([^/]+)$/, detail],
  ['DELETE', /^\/sandboxes\/([^/]+)$/, kill],
  ['PUT', /^\/sandboxes\/([^/]+)\/network$/, updateNetwork],
  ['GET', /^\/sandboxes\/([^/]+)\/logs$/, logs],
  ['GET', /^\/v2\/sandboxes\/([^/]+)\/logs$/, logsV2],
];
