import { equal, ok, rejects } from './assert.js';
import type { Suite } from './case.js';

/** Names that break what is not quoted, encoded or decoded with care. */
const oddNames = [
  'two words.txt',
  'it\'s "quoted".txt',
  'ünï-終わり-🦀.txt',
  '100%.txt',
  '%41%2F.txt',
  'a#b?c=d&e+f.txt',
  'new\nline.txt',
  '-dash',
  '.hidden',
  '$(touch pwned)',
  'semi;colon:at@.txt',
];

export const filesTree: Suite = {
  name: 'tree of files',
  cases: [
    {
      name: 'tells what is there',
      async run({ sandbox }) {
        const { files } = await sandbox();
        equal(await files.exists('a.txt'), false, 'exists before');
        await files.write('a.txt', '12345');
        equal(await files.exists('a.txt'), true, 'exists');
        const info = await files.getInfo('a.txt');
        equal(info.name, 'a.txt', 'name');
        equal(info.path, '/home/user/a.txt', 'path');
        equal(info.type, 'file', 'type');
        equal(info.size, 5, 'size');
        equal(info.permissions, '-rw-r--r--', 'permissions');
        equal(info.mode, 0o644, 'mode');
        ok(info.modifiedTime instanceof Date, 'modifiedTime is a Date');
        equal(Math.abs(info.modifiedTime.getTime() - Date.now()) < 60_000, true, 'modifiedTime is now');
        const home = await files.getInfo('/home/user');
        equal(home.type, 'dir', 'type of a directory');
      },
    },
    {
      name: 'makes directories, once',
      async run({ sandbox }) {
        const { files } = await sandbox();
        equal(await files.makeDir('x/y/z'), true, 'the first time');
        equal(await files.makeDir('x/y/z'), false, 'the second time');
        equal((await files.getInfo('x/y')).type, 'dir', 'type');
      },
    },
    {
      name: 'lists to a depth',
      async run({ sandbox, errors }) {
        const { files } = await sandbox();
        await files.write('top/one.txt', '1');
        await files.write('top/sub/two.txt', '22');
        const names = async (depth?: number): Promise<string[]> => {
          const entries = await files.list('top', depth === undefined ? {} : { depth });
          return entries.map(({ path }) => path.replace('/home/user/top/', '')).sort();
        };
        equal(await names(), ['one.txt', 'sub'], 'without depth');
        equal(await names(1), ['one.txt', 'sub'], 'depth 1');
        equal(await names(2), ['one.txt', 'sub', 'sub/two.txt'], 'depth 2');
        await rejects(files.list('top', { depth: 0 }), errors.InvalidArgumentError);
        await files.makeDir('nothing');
        equal(await files.list('nothing'), [], 'an empty directory');
      },
    },
    {
      name: 'renames files and directories',
      async run({ sandbox }) {
        const { files } = await sandbox();
        await files.write('old.txt', 'text');
        const info = await files.rename('old.txt', 'new.txt');
        equal(info.path, '/home/user/new.txt', 'the new path');
        equal(await files.exists('old.txt'), false, 'the old name');
        equal(await files.read('new.txt'), 'text', 'the content');
        await files.write('dir/file', 'x');
        await files.rename('dir', 'moved');
        equal(await files.read('moved/file'), 'x', 'in a renamed directory');
      },
    },
    {
      name: 'removes files, directories and nothing',
      async run({ sandbox }) {
        const { files } = await sandbox();
        await files.write('tree/a/b', 'x');
        await files.remove('tree');
        equal(await files.exists('tree'), false, 'the directory');
        await files.remove('tree');
      },
    },
    {
      name: 'shows where symbolic links lead',
      async run({ sandbox }) {
        const { files, commands } = await sandbox();
        await commands.run('echo hi > target && ln -s target link');
        const info = await files.getInfo('link');
        equal(info.symlinkTarget, '/home/user/target', 'symlinkTarget');
        equal(await files.read('link'), 'hi\n', 'read through it');
        equal((await files.getInfo('target')).symlinkTarget, undefined, 'of a plain file');
      },
    },
    {
      name: 'copes with odd names',
      async run({ sandbox }) {
        const { files } = await sandbox();
        await files.makeDir('odd');
        for (const name of oddNames) {
          const path = `odd/${name}`;
          const info = await files.write(path, `content of ${name}`);
          equal(info.name, name, 'name as written');
          equal(await files.read(path), `content of ${name}`, `content of ${JSON.stringify(name)}`);
          equal((await files.getInfo(path)).name, name, 'name as told');
        }
        const listed = (await files.list('odd')).map(({ name }) => name);
        equal(listed.sort(), [...oddNames].sort(), 'the names listed');
        for (const name of oddNames) {
          await files.rename(`odd/${name}`, `odd/${name}.moved`);
          await files.remove(`odd/${name}.moved`);
        }
        equal(await files.list('odd'), [], 'after all are removed');
      },
    },
    {
      name: 'copes with odd names when several files are written at once',
      async run({ sandbox }) {
        const { files } = await sandbox();
        const infos = await files.write(
          oddNames.map((name) => ({ path: `odd/${name}`, data: `of ${name}` })),
        );
        equal(
          infos.map(({ name }) => name),
          oddNames,
          'names as written',
        );
        for (const name of oddNames) {
          equal(await files.read(`odd/${name}`), `of ${name}`, `content of ${JSON.stringify(name)}`);
        }
      },
    },
    {
      name: 'knows a backslash as a letter',
      via: 'key',
      async run({ sandbox }) {
        const { files } = await sandbox();
        await files.write('back\\slash', 'x');
        equal(
          (await files.list('.')).map(({ name }) => name).filter((name) => name.includes('slash')),
          ['back\\slash'],
          'names',
        );
      },
    },
    {
      name: 'lets no backslash through, which some programs take for a slash',
      via: 'session',
      async run({ sandbox, errors }) {
        const { files } = await sandbox();
        await rejects(files.write('back\\slash', 'x'), errors.InvalidArgumentError, 'invalid_argument');
        await rejects(files.read('back\\slash'), errors.InvalidArgumentError, 'invalid_argument');
      },
    },
    {
      name: 'says that a file is missing',
      async run({ sandbox, errors }) {
        const { files } = await sandbox();
        const missing = [
          () => files.read('missing'),
          () => files.read('missing', { format: 'stream' }),
          () => files.getInfo('missing'),
          () => files.list('missing'),
          () => files.rename('missing', 'elsewhere'),
        ];
        for (const work of missing) {
          const error = await rejects(work, errors.FileNotFoundError, 'file_not_found');
          ok(error.message.includes('missing'), `the message names the path: ${error.message}`);
        }
      },
    },
    {
      name: 'says that a directory is not a file, and the reverse',
      async run({ sandbox, errors }) {
        const { files } = await sandbox();
        await files.write('file', 'x');
        await files.makeDir('dir');
        await rejects(files.read('dir'), errors.InvalidArgumentError, 'invalid_argument');
        await rejects(files.write('dir', 'x'), errors.InvalidArgumentError, 'invalid_argument');
        await rejects(files.list('file'), errors.InvalidArgumentError, 'invalid_argument');
        await rejects(files.makeDir('file'), errors.InvalidArgumentError, 'invalid_argument');
      },
    },
    {
      name: 'expands paths from the home directory',
      async run({ sandbox, errors }) {
        const { files } = await sandbox();
        await files.write('~/in-home', 'x');
        equal(await files.read('/home/user/in-home'), 'x', 'by its absolute path');
        equal(await files.read('./in-home'), 'x', 'by a relative path');
        await rejects(files.read('~other/x'), errors.InvalidArgumentError);
      },
    },
  ],
};
