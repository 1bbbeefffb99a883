/**
 * A web service that runs its callers' commands. This file is all of it; `node.ts`, `deno.ts` and `worker.ts` each say
 * where it runs.
 *
 * Whoever knows a sandbox's id may use it here. A service with users puts the user's id in the label, too.
 */

import { CommandExitError, type CommandResult, Sandbox, SandboxNotFoundError } from 'e2b-edge';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { problem, Refusal, refuse } from './problem.ts';

/** What the host gives. The key stays here: nothing of it is in any answer. */
export interface Env {
  E2B_API_KEY: string;
  /** For a cluster of your own or a local sandbox server. */
  E2B_API_URL?: string;
  E2B_SANDBOX_URL?: string;
}

const lifeMs = 300_000;
const commandMs = 10_000;
const maxBody = 64 * 1024;
/** Of what a command prints, the newest; so no command can fill this service's memory. */
const maxOutput = 256 * 1024;

/** Tells the sandboxes of this service from all others that the key opens. */
const label = { service: 'web-service' };

export function createApp(): Hono<{ Bindings: Env }> {
  const app = new Hono<{ Bindings: Env }>();

  app.use(bodyLimit({ maxSize: maxBody, onError: () => problem(413, 'body_too_large') }));

  app.post('/sandboxes', async (c) => {
    const sandbox = await Sandbox.create({ ...account(c.env), metadata: label, timeoutMs: lifeMs });
    return c.json({ id: sandbox.sandboxId }, 201);
  });

  app.post('/sandboxes/:id/commands', async (c) => {
    const command = commandOf(await c.req.json().catch(() => refuse(400, 'body_not_json')));
    const id = await ownId(c.req.param('id'), c.env);
    const sandbox = await Sandbox.connect(id, { ...account(c.env), timeoutMs: lifeMs });
    const { stdout, stderr, exitCode } = await execute(sandbox, command);
    return c.json({ stdout, stderr, exitCode });
  });

  app.delete('/sandboxes/:id', async (c) => {
    const id = await ownId(c.req.param('id'), c.env);
    if (!(await Sandbox.kill(id, account(c.env)))) refuse(404, 'sandbox_not_found');
    return c.body(null, 204);
  });

  app.notFound(() => problem(404, 'route_not_found'));
  app.onError((error) => {
    if (error instanceof Refusal) return problem(error.status, error.message);
    if (error instanceof SandboxNotFoundError) return problem(404, 'sandbox_not_found');
    // What went wrong in here is no concern of the caller's.
    console.error(error.name, (error as { code?: string }).code ?? '');
    return problem(500, 'internal');
  });
  return app;
}

function account({ E2B_API_KEY, E2B_API_URL, E2B_SANDBOX_URL }: Env) {
  return {
    apiKey: E2B_API_KEY,
    ...(E2B_API_URL && { apiUrl: E2B_API_URL }),
    ...(E2B_SANDBOX_URL && { sandboxUrl: E2B_SANDBOX_URL }),
  };
}

function commandOf(body: unknown): string {
  const { command } = Object(body) as { command?: unknown };
  return typeof command === 'string' && command.trim() !== '' ? command : refuse(400, 'command_missing');
}

/** Refuses ids of sandboxes that this service has not created, as if there were none. */
async function ownId(id: string, env: Env): Promise<string> {
  if (!/^[a-z0-9]+$/.test(id)) refuse(404, 'sandbox_not_found');
  const { metadata } = await Sandbox.getInfo(id, account(env));
  if (metadata.service !== label.service) refuse(404, 'sandbox_not_found');
  return id;
}

/** Runs a command; that it fails is an answer like any other. */
async function execute(sandbox: Sandbox, command: string): Promise<CommandResult> {
  try {
    return await sandbox.commands.run(command, { timeoutMs: commandMs, maxRetainedBytes: maxOutput });
  } catch (error) {
    if (error instanceof CommandExitError) return error;
    throw error;
  }
}
