import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type LocalServer, startLocalServer } from 'e2b-edge/local';
import { afterAll, beforeAll, expect, test } from 'vitest';

let server: LocalServer;

beforeAll(async () => {
  server = await startLocalServer();
});

afterAll(() => server.close());

const uses: Record<string, string> = {
  'commands that have ended': `for (let i = 0; i < 10; i++) await sandbox.commands.run('echo hi');`,
  'a command that is still running': `await sandbox.commands.run('sleep 300', { background: true, timeoutMs: 250_000 });
    const left = await sandbox.commands.run('yes', { background: true });
    for await (const event of left) if (event.type === 'stdout') break;`,
  'a command that took too long': `await sandbox.commands.run('sleep 300', { timeoutMs: 200 }).catch(() => {});`,
  files: `await sandbox.files.write('a', 'b'); await sandbox.files.read('a'); await sandbox.files.list('/');`,
  'a terminal': `const pty = await sandbox.pty.create({ cols: 80, rows: 24, onData() {} });
    await pty.send('exit\\n'); await pty.wait();`,
  'a pool that lies idle': `const pool = createSandboxPool({ create, min: 2 });
    await pool.use((other) => other.commands.run('echo hi'));
    while (pool.stats.idle < 2) await new Promise((resolve) => setTimeout(resolve, 10));`,
  'a pool that cannot create': `const pool = createSandboxPool({ create: () => { throw new Error(); }, min: 2 });
    await new Promise((resolve) => setTimeout(resolve));`,
};

test.each(Object.keys(uses))('no timer of %s keeps a program from ending', async (name) => {
  const program = `
    import { createSandboxPool, Sandbox } from 'e2b-edge';
    const [apiUrl, apiKey] = process.argv.slice(1);
    const create = () => Sandbox.create('base', { apiUrl, sandboxUrl: apiUrl, apiKey });
    const sandbox = await create();
    ${uses[name]}
    await sandbox.kill();
    await new Promise((resolve) => setTimeout(resolve, 100));
    console.log(process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length);
    process.exit();`;
  const args = ['--input-type=module', '-e', program, server.apiUrl, server.apiKey];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  expect(Number(stdout)).toBe(0);
});
