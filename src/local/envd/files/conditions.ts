import type { IncomingHttpHeaders } from 'node:http2';

/** What the conditions of a request say about a file that has a date, but no entity tag. */
export type Verdict = 'send' | 'unchanged' | 'failed';

const entityTags = /^(?:[\s,]*(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*")*[\s,]*/;

/** `modified` in milliseconds, whole seconds; `undefined` when the file has no date. */
export function checkConditions(headers: IncomingHttpHeaders, modified: number | undefined): Verdict {
  const match = headers['if-match'];
  if (match !== undefined) {
    if (!hasStar(match)) return 'failed';
  } else {
    const since = dateOf(headers['if-unmodified-since']);
    if (since !== undefined && modified !== undefined && modified > since) return 'failed';
  }
  const noneMatch = headers['if-none-match'];
  if (noneMatch !== undefined) return hasStar(noneMatch) ? 'unchanged' : 'send';
  const since = dateOf(headers['if-modified-since']);
  return since !== undefined && modified !== undefined && modified <= since ? 'unchanged' : 'send';
}

/** Whether `Range` counts: not when `If-Range` says that the client has a part of something else. */
export function rangeHolds(headers: IncomingHttpHeaders, modified: number | undefined): boolean {
  const condition = headers['if-range'] as string | undefined;
  return condition === undefined || (modified !== undefined && dateOf(condition) === modified);
}

/** Of tags only `*` can match. */
function hasStar(header: string): boolean {
  return header.replace(entityTags, '').startsWith('*');
}

/** In milliseconds. HTTP has three formats, one of which does not say that it is in GMT. */
function dateOf(header: string | undefined): number | undefined {
  if (header === undefined || !/^[A-Z][a-z]{2,8},? /.test(header)) return undefined;
  const time = Date.parse(header.endsWith(' GMT') ? header : `${header} GMT`);
  return Number.isNaN(time) ? undefined : time;
}
