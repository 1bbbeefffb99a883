import { FileNotFoundError, type FilesystemEvent, InvalidArgumentError } from 'e2b';
import { describe, expect, test } from 'vitest';
import { until } from '../../unit/local/support/until.js';
import type { Stage } from './stage.js';

export function filesMethods(stage: () => Stage): void {
  describe('files', () => {
    test('write and read, in every form', async () => {
      const { files } = stage().sandbox;
      expect(await files.write('a/f', 'text')).toMatchObject({
        path: '/home/user/a/f',
        name: 'f',
        type: 'file',
      });
      expect(await files.read('a/f')).toBe('text');
      await files.write('zipped', new Blob(['z'.repeat(100_000)]), { gzip: true });
      expect((await files.read('zipped', { gzip: true })).length).toBe(100_000);
      await files.write('raw', new Uint8Array([0, 255, 128]).buffer, { useOctetStream: true });
      expect(await files.read('raw', { format: 'bytes' })).toEqual(new Uint8Array([0, 255, 128]));
      expect((await files.read('raw', { format: 'blob' })).size).toBe(3);
      await files.write('s', new Blob(['streamed']).stream());
      expect(await new Response(await files.read('s', { format: 'stream' })).text()).toBe('streamed');
      expect(await files.read((await files.write('empty', '')).path)).toBe('');
      await expect(files.read('missing')).rejects.toThrow(FileNotFoundError);
      await expect(files.read('a')).rejects.toThrow(InvalidArgumentError);
    });

    test('writeFiles', async () => {
      const { files } = stage().sandbox;
      const written = await files.writeFiles([
        { path: 'm/1', data: 'one' },
        { path: '/tmp/2', data: new TextEncoder().encode('two').buffer },
      ]);
      expect(written.map(({ path }) => path)).toEqual(['/home/user/m/1', '/tmp/2']);
      expect(await files.read('/tmp/2')).toBe('two');
      expect(await files.writeFiles([])).toEqual([]);
    });

    test('metadata, and a file as another user', async () => {
      const { files } = stage().sandbox;
      expect(await files.write('tagged', 'x', { metadata: { Origin: 'test' } })).toMatchObject({
        metadata: { origin: 'test' },
      });
      expect((await files.getInfo('tagged')).metadata).toEqual({ origin: 'test' });
      await files.write('tagged', 'y');
      expect((await files.getInfo('tagged')).metadata ?? {}).toEqual({});
      await files.write('/tmp/of-root', 'x', { user: 'root' });
      expect(await files.read('/tmp/of-root', { user: 'root' })).toBe('x');
    });

    test('list, getInfo, exists', async () => {
      const { files, commands } = stage().sandbox;
      await files.write('l/deep/er', 'abc');
      await commands.run('ln -s deep l/link');
      expect((await files.list('l')).map(({ name }) => name)).toEqual(['deep', 'link']);
      expect((await files.list('l', { depth: 2 })).map(({ path }) => path)).toContain('/home/user/l/deep/er');
      expect(await files.getInfo('l/deep/er')).toMatchObject({
        type: 'file',
        size: 3,
        owner: 'user',
        group: 'user',
        mode: 0o644,
        permissions: '-rw-r--r--',
        modifiedTime: expect.any(Date),
      });
      expect(await files.getInfo('l/link')).toMatchObject({ symlinkTarget: '/home/user/l/deep' });
      expect([await files.exists('l'), await files.exists('nowhere')]).toEqual([true, false]);
      await expect(files.list('nowhere')).rejects.toThrow(FileNotFoundError);
    });

    test('makeDir, rename, remove', async () => {
      const { files } = stage().sandbox;
      expect([await files.makeDir('d/e'), await files.makeDir('d/e')]).toEqual([true, false]);
      await files.write('d/1', '1');
      expect(await files.rename('d/1', 'd/2')).toMatchObject({ path: '/home/user/d/2' });
      await files.remove('d');
      expect(await files.exists('d')).toBe(false);
      await files.remove('d');
    });

    test('watchDir and its stop', async () => {
      const { files } = stage().sandbox;
      await files.makeDir('w/sub');
      const events: FilesystemEvent[] = [];
      const handle = await files.watchDir('w', (event) => void events.push(event), {
        recursive: true,
        includeEntry: true,
      });
      const seen = (name: string, type: string) => events.some((it) => it.name === name && it.type === type);
      await files.write('w/one', '1');
      await files.write('w/sub/two', '2');
      await files.makeDir('w/new/dir');
      await files.write('w/new/dir/three', '3');
      await files.rename('w/one', 'w/uno');
      await files.remove('w/sub/two');
      await until('all is told', () =>
        [
          ['one', 'create'],
          ['one', 'write'],
          ['sub/two', 'create'],
          ['new', 'create'],
          ['new/dir/three', 'create'],
          ['one', 'rename'],
          ['uno', 'create'],
          ['sub/two', 'remove'],
        ].every(([name, type]) => seen(name!, type!)),
      );
      expect(events.find(({ entry }) => entry)?.entry).toMatchObject({ path: expect.any(String) });
      await handle.stop();
      const count = events.length;
      await files.write('w/after', 'x');
      await files.read('w/after');
      expect(events).toHaveLength(count);
      await expect(files.watchDir('nowhere', () => {})).rejects.toThrow(/not found/);
    });

    test('a watch that ends says so', async () => {
      const { files } = stage().sandbox;
      await files.makeDir('v');
      const ended = new Promise<Error | undefined>((resolve) => {
        void files.watchDir('v', () => {}, { timeoutMs: 500, onExit: resolve });
      });
      expect((await ended)?.name).toBe('TimeoutError');
    });
  });
}
