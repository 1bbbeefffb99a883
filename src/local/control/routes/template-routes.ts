import { ApiError, replyJson } from '../../http/replies.js';
import { pageOf } from '../requests/page.js';
import { templateOf } from '../template-json.js';
import { requireTemplateName } from '../templates/template-name.js';
import type { Action, Route } from './route.js';

const list: Action = ({ response, templates }) => {
  replyJson(
    response,
    200,
    templates.list().map((template) => templateOf(template, templates)),
  );
};

const listV2: Action = ({ response, query, templates }) => {
  const { items, nextToken } = pageOf(templates.list(), ({ id }) => [templates.createdAt, id], query);
  if (nextToken !== undefined) response.setHeader('x-next-token', nextToken);
  replyJson(
    response,
    200,
    items.map((template) => templateOf(template, templates)),
  );
};

const findAlias: Action = ({ response, templates, id }) => {
  const templateID = templates.idOf(requireTemplateName(id, 'alias format'));
  if (templateID === undefined) throw new ApiError(404, `template '${id}' not found`);
  replyJson(response, 200, { templateID, public: false });
};

export const templateRoutes: readonly Route[] = [
  ['GET', /^\/templates$/, list],
  ['GET', /^\/v2\/templates$/, listV2],
  ['GET', /^\/templates\/aliases\/([^/]+)$/, findAlias],
];
