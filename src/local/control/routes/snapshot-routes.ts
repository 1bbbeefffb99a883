import { readJson } from '../../http/read-json.js';
import { ApiError, replyJson } from '../../http/replies.js';
import { createDefaults } from '../requests/create-request.js';
import { parseObject, parseString, parseTimeout, parseWhole } from '../requests/fields.js';
import { pageOf } from '../requests/page.js';
import { summaryOf } from '../sandbox-json.js';
import { type Snapshot, snapshotInfo } from '../templates/snapshots.js';
import { requireLocalTeam, requireTemplateName } from '../templates/template-name.js';
import { type Action, findSandbox, noContent, type Route, sandboxIdOf } from './route.js';

const mostForks = 100;

const fork: Action = async (call) => {
  const body = parseObject(await readJson(call.request), 'body');
  const timeout = parseTimeout(body.timeout ?? createDefaults.v1.timeoutSeconds, 'timeout', 1);
  const count = parseWhole(body.count ?? 1, 'count must be a whole number');
  if (count < 1) throw new ApiError(400, 'Count must be at least 1');
  if (count > mostForks) throw new ApiError(400, `Count cannot be greater than ${mostForks}`);
  const sandbox = findSandbox(call);
  if (sandbox.state === 'pausing') await sandbox.settled();
  if (sandbox.state === 'paused') {
    throw new ApiError(409, `Sandbox '${sandbox.id}' is paused and cannot be forked; resume it first`);
  }
  const results = await call.sandboxes.fork(sandbox, count, timeout);
  replyJson(
    call.response,
    201,
    results.map((result) =>
      result.status === 'fulfilled'
        ? { sandbox: summaryOf(result.value) }
        : { error: errorOf(result.reason) },
    ),
  );
};

const snapshot: Action = async (call) => {
  const body = parseObject(await readJson(call.request), 'body');
  const text = parseString(body.name, 'name');
  const name = text === undefined ? undefined : requireTemplateName(text, 'name');
  if (name) requireLocalTeam(name);
  const made = await call.sandboxes.snapshot(findSandbox(call), name);
  replyJson(call.response, 201, snapshotInfo(made));
};

const listSnapshots: Action = ({ response, query, templates }) => {
  const { snapshots } = templates;
  const sandboxId = query.get('sandboxID');
  const name = query.get('name');
  let found = snapshots.list();
  if (sandboxId) found = found.filter((one) => one.sandboxId === sandboxIdOf(sandboxId));
  if (name) {
    const wanted = requireTemplateName(name, 'name');
    requireLocalTeam(wanted);
    const templateId = snapshots.idOf(wanted);
    found = found.filter((one) => one.templateId === templateId && (wanted.tag ?? one.tag) === one.tag);
  }
  const page = pageOf(found, keyOf, query);
  if (page.nextToken !== undefined) response.setHeader('x-next-token', page.nextToken);
  replyJson(response, 200, page.items.map(snapshotInfo));
};

function keyOf({ createdAt, templateId, tag }: Snapshot): [number, string] {
  return [createdAt, `${templateId}:${tag}`];
}

/**
 * Upstream refuses to remove what sandboxes were made from, so this does too, although those here have copies.
 */
const deleteTemplate: Action = async ({ response, sandboxes, templates, id }) => {
  const name = requireTemplateName(id, 'template ID');
  const templateId = templates.snapshots.idOf(name);
  if (templateId === undefined) {
    if (templates.idOf(name) === undefined) throw new ApiError(404, `template '${id}' not found`);
    throw new ApiError(
      400,
      `template '${id}' is defined by the local server's configuration: remove it there`,
    );
  }
  const user = sandboxes.all().find((sandbox) => sandbox.templateId === templateId);
  if (user) {
    const state = user.isReachable ? 'running' : 'paused';
    throw new ApiError(
      400,
      `cannot delete template '${templateId}' because there are ${state} sandboxes using it`,
    );
  }
  await templates.snapshots.delete(name);
  noContent(response);
};

function errorOf(reason: unknown): { code: number; message: string } {
  if (reason instanceof ApiError) return { code: reason.status, message: reason.message };
  return { code: 500, message: reason instanceof Error ? reason.message : String(reason) };
}

export const snapshotRoutes: readonly Route[] = [
  ['POST', /^\/sandboxes\/([^/]+)\/fork$/, fork],
  ['POST', /^\/sandboxes\/([^/]+)\/snapshots$/, snapshot],
  ['GET', /^\/snapshots$/, listSnapshots],
  ['DELETE', /^\/templates\/([^/]+)$/, deleteTemplate],
];
