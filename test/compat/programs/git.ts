import { Sandbox } from 'e2b';
import { failure } from './support/report.js';

const sandbox = await Sandbox.create({ timeoutMs: 60_000 });
const { git, files } = sandbox;

await git.configureUser('Ada', 'ada@example.com');
console.log(await git.getConfig('user.name', { scope: 'global' }));
await git.init('project', { initialBranch: 'main' });
await files.write('project/a.txt', 'a\n');
const untracked = await git.status('project');
console.log(untracked.currentBranch, untracked.isClean, untracked.untrackedCount);
console.log(untracked.fileStatus.map(({ name, status, staged }) => ({ name, status, staged })));

await git.add('project');
console.log((await git.status('project')).stagedCount);
await git.commit('project', 'first', { authorName: 'Bob', authorEmail: 'bob@example.com' });
console.log((await sandbox.commands.run('git -C project log --format="%an %s"')).stdout);

await git.createBranch('project', 'feature');
console.log(await git.branches('project'));
await git.checkoutBranch('project', 'main');
await git.deleteBranch('project', 'feature');
console.log((await git.branches('project')).branches);

await sandbox.commands.run('git init -q --bare remote.git');
await git.remoteAdd('project', 'origin', '/home/user/remote.git');
console.log(await git.remoteGet('project', 'origin'), await git.remoteGet('project', 'none'));
await git.push('project', { remote: 'origin', branch: 'main', setUpstream: true });
await git.clone('/home/user/remote.git', { path: 'copy', branch: 'main' });
console.log(await files.read('copy/a.txt'));
await git.pull('copy');

await files.write('project/a.txt', 'changed\n');
await git.restore('project', { paths: ['a.txt'] });
console.log(await files.read('project/a.txt'));
await git.setConfig('core.editor', 'true', { scope: 'local', path: 'project' });
console.log(await git.getConfig('core.editor', { scope: 'local', path: 'project' }));

console.log(await failure(git.status('nowhere')));
console.log(await failure(git.clone('/home/user/missing.git', { path: 'other' })));
console.log(await failure(git.commit('project', 'nothing to commit')));
console.log(await failure(git.clone('https://example.com/x.git', { username: 'u' })));
await sandbox.kill();
