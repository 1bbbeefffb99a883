import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { SandboxContext } from './context.js';
import { HttpError } from './errors.js';
import { readJson } from './read-json.js';
import { writeRunFiles } from './run-files.js';
import type { User } from './users.js';

/** What `POST /init` may say; whatever else it says is for other kinds of machines. */
interface InitRequest {
  readonly envVars?: Readonly<Record<string, string>> | null;
  readonly defaultUser?: string | null;
  readonly defaultWorkdir?: string | null;
}

/** `POST /init`: sets what all processes of the sandbox begin with. What is left out stays as it is. */
export async function init(
  request: Http2ServerRequest,
  response: Http2ServerResponse,
  context: SandboxContext,
): Promise<void> {
  const { envVars, defaultUser, defaultWorkdir } = validated(await readJson(request));
  const user = defaultUser ? existing(defaultUser, context) : undefined;
  if (envVars) {
    context.envs = envVars;
    await writeRunFiles(context.paths, envVars);
  }
  if (user) {
    context.users.defaultName = user.name;
    context.workdir = user.home;
  }
  if (defaultWorkdir) context.workdir = defaultWorkdir;
  response.writeHead(204, { 'cache-control': 'no-store' }).end();
}

function existing(name: string, { users }: SandboxContext): User {
  try {
    return users.named(name);
  } catch {
    throw new HttpError(400, `invalid init request: the sandbox has no user '${name}'`);
  }
}

function validated(body: unknown): InitRequest {
  const refuse = (what: string): never => {
    throw new HttpError(400, `invalid init request: ${what}`);
  };
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return refuse('it must be an object');
  const { envVars, defaultUser, defaultWorkdir } = body as InitRequest;
  for (const [name, value] of Object.entries(envVars ?? {})) {
    if (typeof value !== 'string') refuse(`envVars.${name} must be a string`);
  }
  for (const [name, value] of Object.entries({ defaultUser, defaultWorkdir })) {
    if (value != null && typeof value !== 'string') refuse(`${name} must be a string`);
  }
  if (defaultWorkdir && !defaultWorkdir.startsWith('/')) refuse('defaultWorkdir must be an absolute path');
  return body;
}
