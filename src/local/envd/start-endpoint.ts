import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { ConnectError } from '@connectrpc/connect';
import type { SandboxContext } from './context.js';
import { HttpError } from './errors.js';
import type { ProcessTable } from './process/process-table.js';
import { runStartCommands, StartCommandError, type StartCommands } from './process/start-command.js';
import { readJson } from './read-json.js';
import type { User } from './users.js';

const longestSeconds = 24 * 3600;

/**
 * `POST /start`: brings a template to life, for the control plane only. 204 once it is ready; 400 when the
 * request is at fault, 500 with what was printed when the commands are.
 */
export async function start(
  request: Http2ServerRequest,
  response: Http2ServerResponse,
  context: SandboxContext,
  table: ProcessTable,
): Promise<void> {
  const { user, commands } = validated(await readJson(request), context);
  const left = new AbortController();
  response.once('close', () => left.abort(new Error('the client left')));
  try {
    await runStartCommands(table, user, commands, left.signal);
  } catch (error) {
    if (error instanceof StartCommandError) throw new HttpError(500, error.message);
    if (error instanceof ConnectError) throw new HttpError(400, error.rawMessage);
    throw error;
  }
  response.writeHead(204).end();
}

function validated(body: unknown, context: SandboxContext): { user: User; commands: StartCommands } {
  const { timeoutSeconds, ...fields } = (body ?? {}) as Record<string, unknown>;
  if (typeof timeoutSeconds !== 'number' || !(timeoutSeconds > 0 && timeoutSeconds <= longestSeconds)) {
    throw new HttpError(400, `timeoutSeconds must be a number above 0 and at most ${longestSeconds}`);
  }
  const text = (name: string): string | undefined => {
    const value = fields[name];
    if (value === undefined || value === null) return undefined;
    if (typeof value !== 'string') throw new HttpError(400, `${name} must be a string`);
    return value;
  };
  return {
    user: context.users.named(text('user')),
    commands: {
      startCmd: text('startCmd'),
      readyCmd: text('readyCmd'),
      workdir: text('workdir'),
      timeoutMs: timeoutSeconds * 1000,
    },
  };
}
