/** A Worker that has a pool in its Durable Object, and one that every request may try to share. */

import { createSandboxPool } from '../../../../src/control/pool/create-sandbox-pool.js';
import type { SandboxPool } from '../../../../src/control/pool/sandbox-pool.js';
import { Sandbox } from '../../../../src/control/sandbox.js';

interface Env {
  E2B_API_KEY: string;
  E2B_URL: string;
  POOL: {
    idFromName(name: string): unknown;
    get(id: unknown): { fetch(request: Request): Promise<Response> };
  };
}

function open(env: Env): SandboxPool<Sandbox> {
  const options = { apiKey: env.E2B_API_KEY, apiUrl: env.E2B_URL, sandboxUrl: env.E2B_URL };
  return createSandboxPool({ min: 1, max: 1, create: () => Sandbox.create('base', options) });
}

async function answer(pool: SandboxPool<Sandbox>, request: Request): Promise<Response> {
  if (request.method === 'DELETE') {
    await pool.drain();
    return new Response('drained');
  }
  const command = await request.text();
  const { stdout } = await pool.use((sandbox) => sandbox.commands.run(command));
  return new Response(stdout);
}

export class PoolObject {
  readonly #pool: SandboxPool<Sandbox>;

  constructor(_state: unknown, env: Env) {
    this.#pool = open(env);
  }

  fetch(request: Request): Promise<Response> {
    return answer(this.#pool, request);
  }
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    if (new URL(request.url).pathname === '/object') {
      return env.POOL.get(env.POOL.idFromName('the one')).fetch(request);
    }
    const pool = open(env);
    const answered = await answer(pool, request);
    await pool.drain();
    return answered;
  },
};
