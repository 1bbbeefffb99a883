import { Sandbox } from 'e2b';
import { failure } from './support/report.js';

const { E2B_API_KEY } = process.env;

delete process.env.E2B_API_KEY;
console.log('no key', await failure(Sandbox.create()));
process.env.E2B_API_KEY = `e2b_${'0'.repeat(40)}`;
console.log('wrong key', await failure(Sandbox.create()));
console.log('wrong key', await failure(Sandbox.list().nextItems()));
process.env.E2B_API_KEY = E2B_API_KEY;

console.log('no template', await failure(Sandbox.create('there-is-none')));
console.log('no sandbox', await failure(Sandbox.connect('inotthereinotthereino')));
console.log('kill', await Sandbox.kill('inotthereinotthereino'));
console.log('no server', (await failure(Sandbox.create({ apiUrl: 'http://127.0.0.1:9' }))) !== 'no error');

const sandbox = await Sandbox.create({ timeoutMs: 60_000 });
console.log('no user', await failure(sandbox.commands.run('true', { user: 'nobody-here' })));
console.log('no directory', await failure(sandbox.commands.run('true', { cwd: '/nowhere' })));
console.log('no program', await failure(sandbox.commands.run('no-such-program')));
await sandbox.kill();
