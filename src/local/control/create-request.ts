import { ApiError } from '../http/replies.js';

/** What a client asks of a new sandbox, as far as a local one can give it. */
export interface CreateRequest {
  readonly templateId: string;
  readonly timeoutSeconds: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly envs: Readonly<Record<string, string>>;
  readonly allowInternetAccess: boolean;
}

/** Longest life of a sandbox, from now, in seconds. */
export const longestTimeoutSeconds: number = 24 * 3600;

/** What would be promised but not kept, so it is refused. */
const unsupported: Record<string, string> = {
  autoPause: 'pausing sandboxes',
  autoPauseMemory: 'pausing sandboxes',
  iam: 'identity tokens',
  mcp: 'the MCP gateway',
  network: 'network rules',
  volumeMounts: 'volumes',
};

/** Reads the body of `POST /sandboxes` and `POST /v2/sandboxes`, which differ in the default timeout only. */
export function parseCreate(body: unknown, defaultTimeoutSeconds: number): CreateRequest {
  const fields = parseObject(body, 'body');
  const { templateID } = fields;
  if (typeof templateID !== 'string' || templateID === '') {
    throw new ApiError(400, 'templateID is required and must be a string');
  }
  for (const [field, what] of Object.entries(unsupported)) {
    if (fields[field] !== undefined && fields[field] !== null && fields[field] !== false) {
      throw new ApiError(501, `the local server has no support for ${what}: leave out '${field}'`);
    }
  }
  if ((fields.autoResume as { enabled?: unknown } | undefined)?.enabled === true) {
    throw new ApiError(501, "the local server has no support for pausing sandboxes: leave out 'autoResume'");
  }
  return {
    templateId: templateID,
    timeoutSeconds: parseTimeout(fields.timeout ?? defaultTimeoutSeconds, 'timeout', 1),
    metadata: parseStrings(fields.metadata, 'metadata'),
    envs: parseStrings(fields.envVars, 'envVars'),
    allowInternetAccess: fields.allow_internet_access !== false,
  };
}

/** A whole number of seconds between `least` and the longest life. */
export function parseTimeout(value: unknown, field: string, least: number): number {
  if (!Number.isInteger(value)) throw new ApiError(400, `${field} must be a whole number of seconds`);
  const seconds = value as number;
  if (seconds < least) throw new ApiError(400, `${field} must be at least ${least}`);
  if (seconds > longestTimeoutSeconds) {
    throw new ApiError(400, `${field} must be at most ${longestTimeoutSeconds} (24 hours)`);
  }
  return seconds;
}

export function parseObject(value: unknown, field: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ApiError(400, `${field} must be a JSON object`);
  }
  return value as Record<string, unknown>;
}

function parseStrings(value: unknown, field: string): Record<string, string> {
  if (value === undefined || value === null) return {};
  const entries = Object.entries(parseObject(value, field));
  for (const [key, text] of entries) {
    if (typeof text !== 'string') throw new ApiError(400, `${field}.${key} must be a string`);
  }
  return Object.fromEntries(entries) as Record<string, string>;
}
