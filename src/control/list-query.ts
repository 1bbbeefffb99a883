/** What a list asks for, how it is written into a query, and what comes back. */

/** A page, and where the next one begins; without a token it is the last. */
export interface Page<Item> {
  items: Item[];
  nextToken?: string;
}

export interface PageQuery {
  limit?: number | undefined;
  nextToken?: string | undefined;
}

export interface ListQuery extends PageQuery {
  metadata?: Record<string, string> | undefined;
  state?: string[] | undefined;
  startedAfter?: Date | undefined;
  template?: string | undefined;
  order?: 'asc' | 'desc' | undefined;
}

export interface SnapshotQuery extends PageQuery {
  sandboxId?: string | undefined;
  name?: string | undefined;
}

export function listQuery({ metadata, startedAfter, ...rest }: ListQuery): Record<string, string> {
  return present({
    ...rest,
    // The server decodes three times: a query within a value of a query, each of its parts encoded once more.
    metadata: metadata && new URLSearchParams(encodedEntries(metadata)),
    startedAfter: startedAfter?.toISOString(),
  });
}

export function snapshotQuery({ sandboxId, ...rest }: SnapshotQuery): Record<string, string> {
  return present({ ...rest, sandboxID: sandboxId });
}

/** Without what was not given; a list becomes one value, with commas. */
function present(query: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(query)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, String(value)]),
  );
}

function encodedEntries(metadata: Record<string, string>): [string, string][] {
  return Object.entries(metadata).map(([key, value]) => [encodeURIComponent(key), encodeURIComponent(value)]);
}
