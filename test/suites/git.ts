import { equal, ok, rejects } from './assert.js';
import type { Context, Suite } from './case.js';
import { credentials, startGitServer } from './git-server.js';

type Sandbox = Awaited<ReturnType<Context['create']>>;

/** A repository with one commit on `main`, by somebody. */
async function repository({ create }: Pick<Context, 'create'>): Promise<Sandbox> {
  const sandbox = await create();
  const { git, files } = sandbox;
  await git.configureUser('Ann', 'ann@app.example');
  await git.init('repo', { initialBranch: 'main' });
  await files.write('repo/file.txt', 'one\n');
  await git.add('repo');
  await git.commit('repo', 'first');
  return sandbox;
}

/** The same, with an empty repository below what is served. */
async function served(context: Context): Promise<Sandbox> {
  const sandbox = await repository(context);
  await sandbox.git.init('served/team/app.git', { bare: true, initialBranch: 'main' });
  return sandbox;
}

const odd = ['two words', "it's", '"quoted"', 'ünï 🦀', '$(touch pwned)', 'tab\there', 'a -> b', '-n'];

export const git: Suite = {
  name: 'git',
  cases: [
    {
      name: 'makes a repository, commits, and tells what has changed',
      via: 'key',
      programs: ['git'],
      async run({ create }) {
        const { git, files, commands } = await repository({ create });
        equal(
          await git.status('repo'),
          {
            currentBranch: 'main',
            ahead: 0,
            behind: 0,
            detached: false,
            fileStatus: [],
            isClean: true,
            hasChanges: false,
            hasStaged: false,
            hasUntracked: false,
            hasConflicts: false,
            totalCount: 0,
            stagedCount: 0,
            unstagedCount: 0,
            untrackedCount: 0,
            conflictCount: 0,
          },
          'the status of what is clean',
        );
        await files.write('repo/staged', 'x');
        await git.add('repo', { files: ['staged'] });
        await files.write('repo/file.txt', 'two\n');
        await files.write('repo/new', 'x');
        const status = await git.status('repo');
        equal(
          status.fileStatus,
          [
            { name: 'file.txt', status: 'modified', indexStatus: ' ', workingTreeStatus: 'M', staged: false },
            { name: 'staged', status: 'added', indexStatus: 'A', workingTreeStatus: ' ', staged: true },
            { name: 'new', status: 'untracked', indexStatus: '?', workingTreeStatus: '?', staged: false },
          ],
          'files',
        );
        const { isClean, hasChanges, hasStaged, hasUntracked, totalCount, stagedCount, unstagedCount } =
          status;
        equal(
          [isClean, hasChanges, hasStaged, hasUntracked, totalCount, stagedCount, unstagedCount],
          [false, true, true, true, 3, 1, 2],
          'counts',
        );
        await git.add('repo');
        const result = await git.commit('repo', 'it\'s "second"\n\nwith $HOME', {
          authorName: 'Bob',
          authorEmail: 'bob@app.example',
        });
        equal(result.exitCode, 0, 'exitCode');
        const log = await commands.run('git -C repo log -1 --format=%an%n%ae%n%cn%n%B');
        equal(log.stdout.trim(), 'Bob\nbob@app.example\nBob\nit\'s "second"\n\nwith $HOME', 'the commit');
        await git.commit('repo', 'empty', { allowEmpty: true });
        equal((await git.status('repo')).isClean, true, 'clean again');
      },
    },
    {
      name: 'keeps odd names as they are',
      via: 'key',
      programs: ['git'],
      async run({ create }) {
        const { git, files } = await repository({ create });
        for (const name of odd) await files.write(`repo/${name}`, name);
        const names = async (): Promise<string[]> =>
          (await git.status('repo')).fileStatus.map(({ name }) => name).sort();
        equal(await names(), [...odd].sort(), 'untracked');
        await git.add('repo', { files: odd });
        equal((await git.status('repo')).stagedCount, odd.length, 'staged');
        await git.commit('repo', 'odd');
        await files.rename('repo/two words', 'repo/three more words');
        await git.add('repo');
        equal(
          (await git.status('repo')).fileStatus,
          [
            {
              name: 'three more words',
              status: 'renamed',
              indexStatus: 'R',
              workingTreeStatus: ' ',
              staged: true,
              renamedFrom: 'two words',
            },
          ],
          'a rename',
        );
        equal(await files.exists('repo/pwned'), false, 'that no name was run');
      },
    },
    {
      name: 'makes, lists, changes and deletes branches',
      via: 'key',
      programs: ['git'],
      async run({ create, errors }) {
        const { git, files, commands } = await repository({ create });
        await git.createBranch('repo', 'feature/a');
        equal(
          await git.branches('repo'),
          { branches: ['feature/a', 'main'], currentBranch: 'feature/a' },
          'two',
        );
        await files.write('repo/a', 'a');
        await git.add('repo');
        await git.commit('repo', 'a');
        await git.checkoutBranch('repo', 'main');
        equal(await files.exists('repo/a'), false, 'what is on the other branch');
        await rejects(git.deleteBranch('repo', 'feature/a'), errors.CommandExitError);
        await git.deleteBranch('repo', 'feature/a', { force: true });
        equal(await git.branches('repo'), { branches: ['main'], currentBranch: 'main' }, 'one');
        await commands.run('git -C repo checkout -q --detach');
        equal(await git.branches('repo'), { branches: ['main'] }, 'detached');
        const { detached, currentBranch } = await git.status('repo');
        equal([detached, currentBranch], [true, undefined], 'the status of a detached HEAD');
        await git.init('empty', { initialBranch: 'trunk' });
        equal(await git.branches('empty'), { branches: [] }, 'before the first commit');
        equal((await git.status('empty')).currentBranch, 'trunk', 'the branch before the first commit');
      },
    },
    {
      name: 'resets and restores',
      via: 'key',
      programs: ['git'],
      async run({ create, errors }) {
        const { git, files } = await repository({ create });
        const state = async (): Promise<string> => {
          const [file] = (await git.status('repo')).fileStatus;
          return file ? `${file.indexStatus}${file.workingTreeStatus}` : 'clean';
        };
        const change = async (): Promise<void> => {
          await files.write('repo/file.txt', 'changed\n');
          await git.add('repo');
        };
        await change();
        equal(await state(), 'M ', 'staged');
        await git.reset('repo', { paths: ['file.txt'] });
        equal(await state(), ' M', 'after a reset of the path');
        await git.restore('repo', { paths: ['file.txt'] });
        equal(await state(), 'clean', 'after restoring the file');
        await change();
        await git.restore('repo', { paths: ['.'], staged: true });
        equal(await state(), ' M', 'after restoring the index');
        await change();
        await git.restore('repo', { paths: ['.'], staged: true, worktree: true, source: 'HEAD' });
        equal(await state(), 'clean', 'after restoring both');
        await change();
        await git.commit('repo', 'changed');
        await git.reset('repo', { mode: 'soft', target: 'HEAD~1' });
        equal(await state(), 'M ', 'after a soft reset');
        await git.reset('repo', { mode: 'hard' });
        equal(await state(), 'clean', 'after a hard reset');
        equal(await files.read('repo/file.txt'), 'one\n', 'the file');
        await rejects(
          git.restore('repo', { paths: ['.'], staged: false, worktree: false }),
          errors.InvalidArgumentError,
        );
      },
    },
    {
      name: 'tells of conflicts',
      via: 'key',
      programs: ['git'],
      async run({ create }) {
        const { git, files, commands } = await repository({ create });
        await git.createBranch('repo', 'other');
        for (const branch of ['other', 'main']) {
          await git.checkoutBranch('repo', branch);
          await files.write('repo/file.txt', `${branch}\n`);
          await files.write('repo/both', branch);
          await git.add('repo');
          await git.commit('repo', branch);
        }
        await commands.run('git -C repo merge other || true');
        const { hasConflicts, conflictCount, fileStatus } = await git.status('repo');
        equal([hasConflicts, conflictCount], [true, 2], 'conflicts');
        equal(
          fileStatus.map(({ name, status, indexStatus }) => [name, status, indexStatus]),
          [
            ['both', 'conflict', 'A'],
            ['file.txt', 'conflict', 'U'],
          ],
          'files',
        );
      },
    },
    {
      name: 'keeps configuration',
      via: 'key',
      programs: ['git'],
      async run({ create, errors }) {
        const { git } = await repository({ create });
        equal(await git.getConfig('user.email'), 'ann@app.example', 'what configureUser has set');
        equal(await git.getConfig('pull.rebase'), undefined, 'what is not set');
        await git.setConfig('alias.odd', '!echo \'$HOME\' "x"');
        equal(await git.getConfig('alias.odd'), '!echo \'$HOME\' "x"', 'an odd value');
        await git.setConfig('pull.rebase', 'false', { scope: 'local', path: 'repo' });
        equal(await git.getConfig('pull.rebase'), undefined, 'in another scope');
        equal(await git.getConfig('pull.rebase', { scope: 'local', path: 'repo' }), 'false', 'in its scope');
        await rejects(git.getConfig('pull.rebase', { scope: 'local' }), errors.InvalidArgumentError);
      },
    },
    {
      name: 'clones, pushes and pulls, and says when there is no upstream',
      via: 'key',
      programs: ['git'],
      async run(context) {
        const { errors } = context;
        const { git, files, commands } = await served(context);
        const origin = '/home/user/served/team/app.git';
        await rejects(git.push('repo'), errors.CommandExitError);
        await git.remoteAdd('repo', 'origin', origin);
        equal(await git.remoteGet('repo', 'origin'), origin, 'remoteGet');
        equal(await git.remoteGet('repo', 'none'), undefined, 'of none');
        await rejects(git.remoteAdd('repo', 'origin', '/elsewhere'), errors.CommandExitError);
        for (const method of ['push', 'pull'] as const) {
          const error = await rejects(git[method]('repo'), errors.GitUpstreamError, 'git_upstream_missing');
          ok(error.cause instanceof errors.CommandExitError, `the cause of ${method}`);
        }
        await git.push('repo', { remote: 'origin', branch: 'main' });
        equal((await git.status('repo')).upstream, 'origin/main', 'upstream');

        await git.clone(origin, { path: 'copy', branch: 'main' });
        await files.write('copy/more', 'x');
        await git.add('copy');
        await git.commit('copy', 'more');
        equal((await git.status('copy')).ahead, 1, 'ahead');
        await git.push('copy');
        await git.pull('repo');
        equal(await files.read('repo/more'), 'x', 'what was pulled');
        await git.pull('repo', { remote: 'origin', branch: 'main' });

        await git.remoteAdd('repo', 'origin', '/elsewhere', { overwrite: true });
        equal(await git.remoteGet('repo', 'origin'), '/elsewhere', 'the new URL');
        await git.remoteAdd('repo', 'second', origin, { overwrite: true, fetch: true });
        const refs = await commands.run('git -C repo branch -r');
        ok(refs.stdout.includes('second/main'), 'what was fetched');
        await git.clone(`file://${origin}`, { path: 'shallow', depth: 1 });
        equal((await commands.run('git -C shallow rev-list --count HEAD')).stdout.trim(), '1', 'its history');
      },
    },
    {
      name: 'tells a server who asks, and nobody else',
      via: 'key',
      programs: ['git', 'python3'],
      async run(context) {
        const { errors } = context;
        const sandbox = await served(context);
        const { git, files, commands } = sandbox;
        const server = await startGitServer(sandbox, 'server');
        const url = `${server.url}/team/app.git`;
        // What a helper of the user's would keep.
        await git.setConfig('credential.helper', 'store');
        await git.remoteAdd('repo', 'origin', url);

        const refused = await rejects(
          git.push('repo', { remote: 'origin', branch: 'main' }),
          errors.GitAuthError,
          'git_unauthenticated',
        );
        ok(!(refused instanceof errors.SandboxError), 'that it is no SandboxError, as in e2b');
        await rejects(
          git.push('repo', { ...credentials, password: 'wrong', branch: 'main' }),
          errors.GitAuthError,
        );
        await git.push('repo', { ...credentials, branch: 'main' });
        await git.clone(url, { ...credentials, path: 'copy' });
        equal(await files.read('copy/file.txt'), 'one\n', 'what was cloned');
        await git.pull('copy', credentials);

        const inUrl = new URL(url);
        inUrl.username = credentials.username;
        inUrl.password = encodeURIComponent(credentials.password);
        await git.clone(inUrl.href, { path: 'by-url' });
        equal(await git.remoteGet('by-url', 'origin'), url, 'the URL that is kept');

        const kept = await commands.run('cat */.git/config .gitconfig; cat .git-credentials || true');
        const traces = { 'the files': kept.stdout, 'the command lines': await server.commandLines() };
        const { password } = credentials;
        for (const [where, text] of Object.entries(traces)) {
          for (const secret of [password, encodeURIComponent(password), inUrl.password, 'wrong']) {
            ok(!text.includes(secret), `${where} show a password`);
          }
        }
        ok(traces['the command lines'].includes('git'), 'that command lines were seen');
        const authorization = `Basic ${btoa(`${credentials.username}:${password}`)}`;
        ok((await server.seen()).includes(authorization), 'what the server was told');
      },
    },
    {
      name: 'tells no other server to which the first one leads',
      via: 'key',
      programs: ['git', 'python3'],
      async run(context) {
        const { errors } = context;
        const sandbox = await served(context);
        const { git } = sandbox;
        const other = await startGitServer(sandbox, 'other');
        const server = await startGitServer(sandbox, 'server', other.url);
        const moved = `${server.url}/moved/team/app.git`;
        await rejects(git.clone(moved, { ...credentials, path: 'copy' }), errors.GitAuthError);
        const seen = await other.seen();
        ok(seen.length > 0, 'that the other server was asked');
        equal(
          seen.filter((header) => header !== ''),
          [],
          'what the other server was told',
        );
      },
    },
    {
      name: 'keeps credentials where it was told to',
      via: 'key',
      programs: ['git', 'python3'],
      async run(context) {
        const { errors } = context;
        const sandbox = await served(context);
        const { git, files } = sandbox;
        const server = await startGitServer(sandbox, 'server');
        const url = `${server.url}/team/app.git`;
        await git.clone(url, { ...credentials, dangerouslyStoreCredentials: true });
        await git.pull('app').catch((error: unknown) => {
          // There is nothing to pull yet.
          if (!(error instanceof errors.CommandExitError)) throw error;
        });
        const stored = new URL((await git.remoteGet('app', 'origin')) ?? '');
        equal(stored.username, credentials.username, 'the username in the URL');
        equal(decodeURIComponent(stored.password), credentials.password, 'the password in the URL');

        await git.remoteAdd('repo', 'origin', url);
        await rejects(git.push('repo', { remote: 'origin', branch: 'main' }), errors.GitAuthError);
        const { host } = new URL(url);
        await git.dangerouslyAuthenticate({ ...credentials, host, protocol: 'http' });
        await git.push('repo', { remote: 'origin', branch: 'main' });
        ok((await files.read('.git-credentials')).includes(host.replace(':', '%3a')), 'what is stored');
      },
    },
    {
      name: 'refuses what cannot be meant, before anything is run',
      via: 'key',
      async run({ create, errors }) {
        const { git } = await create();
        const bad: [string, () => Promise<unknown>][] = [
          ['git.clone: url', () => git.clone('--upload-pack=touch pwned')],
          ['git.clone: depth', () => git.clone('/a', { depth: 0 })],
          ['git.clone', () => git.clone('http://a.example/b', { password: 'x' })],
          ['git.clone', () => git.clone('git@a.example:b.git', credentials)],
          ['git.clone: password', () => git.clone('http://a.example/b', { username: 'a', password: 'x\ny' })],
          ['git.init: path', () => git.init('')],
          ['git.remoteAdd: name', () => git.remoteAdd('repo', '', '/a')],
          ['git.remoteAdd: url', () => git.remoteAdd('repo', 'a', '-x')],
          ['git.createBranch: branch', () => git.createBranch('repo', '--force')],
          ['git.reset: mode', () => git.reset('repo', { mode: 'harder' as never })],
          ['git.reset: target', () => git.reset('repo', { target: '--hard' })],
          ['git.restore: paths', () => git.restore('repo', { paths: [] })],
          ['git.restore: the options', () => git.restore('repo', undefined as never)],
          ['git.add: files', () => git.add('repo', { files: 'a' as never })],
          ['git.commit: message', () => git.commit('repo', undefined as never)],
          ['git.push: setUpstream', () => git.push('repo', { setUpstream: 1 as never })],
          ['git.pull: remote', () => git.pull('repo', { remote: '-x' })],
          ['git.setConfig: key', () => git.setConfig('', 'x')],
          ['git.setConfig: value', () => git.setConfig('a.b', 7 as never)],
          ['git.getConfig: scope', () => git.getConfig('a.b', { scope: 'worktree' as never })],
          ['git.configureUser: name', () => git.configureUser('', 'a@app.example')],
          [
            'git.dangerouslyAuthenticate: password',
            () => git.dangerouslyAuthenticate({ username: 'a' } as never),
          ],
          ['git.status: timeoutMs', () => git.status('repo', { timeoutMs: '1s' as never })],
        ];
        for (const [named, work] of bad) {
          const error = await rejects(work, errors.InvalidArgumentError, 'invalid_argument');
          ok(error.message.startsWith(named), `"${error.message}" begins with "${named}"`);
        }
      },
    },
  ],
};
