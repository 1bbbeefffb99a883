import { build } from 'esbuild';
import { Miniflare } from 'miniflare';
import { childrenNamed } from './memory.mjs';

/** A broker in a Worker: workerd, in a process of its own. */
export async function startWorkerBroker(options) {
  const program = `
    import { createBroker, PtyHub } from 'e2b-edge/broker/cloudflare';
    const broker = createBroker({
      apiKey: (env) => env.options.apiKey,
      apiUrl: (env) => env.options.apiUrl,
      sandboxUrl: (env) => env.options.sandboxUrl,
      signingKeys: (env) => ({ current: env.options.signingKey }),
      origins: ['https://app.example'],
      authorize: (request, intent, { env }) => ({
        subject: 'ann',
        sandbox: { id: env.options.sandboxId, keepAlive: false },
        grants: { files: [{ op: 'read', prefix: '/' }, { op: 'write', prefix: '/' }], commands: 'run' },
      }),
    });
    export { PtyHub };
    export default { fetch: (request, env, ctx) => broker(request, { env, ctx }) };`;
  const { outputFiles } = await build({
    stdin: { contents: program, resolveDir: process.cwd() },
    bundle: true,
    format: 'esm',
    platform: 'browser',
    conditions: ['workerd', 'worker', 'browser'],
    target: 'es2022',
    write: false,
    logLevel: 'error',
  });
  const before = childrenNamed('workerd');
  const worker = new Miniflare({
    host: '127.0.0.1',
    port: 0,
    modules: true,
    script: outputFiles[0].text,
    compatibilityDate: '2026-04-01',
    bindings: { options },
    durableObjects: { PTY_HUB: { className: 'PtyHub', useSQLite: true } },
  });
  const { origin } = await worker.ready;
  const [pid] = childrenNamed('workerd').filter((one) => !before.includes(one));
  if (pid === undefined) throw new Error('workerd runs in no process of this one');
  return { url: origin, pid, close: () => worker.dispose() };
}
