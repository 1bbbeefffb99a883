/** Files in strict mode: what a page asks for is done by the sandbox's user, and never by root. */

import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { BrokerStage } from '../broker-stage.js';
import { codeOf, failure, prefix, strictly, within } from '../strict-session.js';

const megabyte = 1024 * 1024;

export function strict(stage: BrokerStage): void {
  describe('a file in strict mode', () => {
    test('is written and read byte by byte, and is the user’s', async () => {
      const { root, sandbox, get, put } = await strictly(stage);
      const data = new Uint8Array(randomBytes(3 * megabyte + 7));
      expect(await sandbox.files.write(`${prefix}/new/deep/x.bin`, data)).toMatchObject({
        path: `${prefix}/new/deep/x.bin`,
        name: 'x.bin',
        type: 'file',
      });
      const read = await sandbox.files.read(`${prefix}/new/deep/x.bin`, { format: 'bytes' });
      expect(Buffer.compare(read, data)).toBe(0);
      const { stdout } = await root.commands.run(
        `stat -c '%U %a' ${prefix}/new ${prefix}/new/deep/x.bin; ls -A ${prefix}/new/deep`,
      );
      expect(stdout).toBe('user 755\nuser 644\nx.bin\n');
      expect((await put(`${prefix}/empty`, new Uint8Array())).status).toBe(200);
      const empty = await get(`${prefix}/empty`);
      expect([empty.status, await empty.text()]).toEqual([200, '']);
    });

    test('in the place of another keeps its mode, and is whole or not at all', async () => {
      const { root, sandbox, put } = await strictly(stage, 'echo old > x && chmod 640 x && chown user x');
      const body = new ReadableStream({
        start(controller) {
          controller.enqueue(new TextEncoder().encode('half'));
        },
        pull: (controller) => controller.error(new Error('the page went away')),
      });
      await expect(put(`${prefix}/x`, body)).rejects.toThrow();
      await expect
        .poll(async () => (await root.commands.run(`ls -A ${prefix}`)).stdout, { timeout: 10_000 })
        .toBe('x\n');
      expect(await sandbox.files.read(`${prefix}/x`)).toBe('old\n');
      await sandbox.files.write(`${prefix}/x`, 'new');
      expect((await root.commands.run(`cat x; stat -c ' %a' x`, { cwd: prefix })).stdout).toBe('new 640\n');
    });

    test('is read by ranges and by its time', async () => {
      const { get } = await strictly(stage, 'printf 0123456789 > x && touch -d @1700000000 x && : > empty');
      const ranged = async (range: string, path = 'x', more = {}) => {
        const answer = await get(`${prefix}/${path}`, { range, ...more });
        if (answer.status >= 400) return codeOf(answer);
        return `${answer.status} ${answer.headers.get('content-range')} ${await answer.text()}`;
      };
      expect(await ranged('bytes=2-4')).toBe('206 bytes 2-4/10 234');
      expect(await ranged('bytes=08-')).toBe('206 bytes 8-9/10 89');
      expect(await ranged('bytes=-3')).toBe('206 bytes 7-9/10 789');
      expect(await ranged('bytes=-99')).toBe('206 bytes 0-9/10 0123456789');
      expect(await ranged('bytes=5-99')).toBe('206 bytes 5-9/10 56789');
      expect(await ranged('bytes=10-')).toBe('416 range_not_satisfiable');
      expect(await ranged('bytes=-0')).toBe('416 range_not_satisfiable');
      expect(await ranged('bytes=0-', 'empty')).toBe('416 range_not_satisfiable');
      for (const ignored of ['bytes=0-1,3-4', 'bytes=4-2', 'bytes=-', 'lines=1-2', 'bytes=$(id)-']) {
        expect(await ranged(ignored)).toBe('200 null 0123456789');
      }
      const time = new Date(1_700_000_000_000).toUTCString();
      const later = new Date(1_700_000_001_000).toUTCString();
      expect(await ranged('bytes=2-4', 'x', { 'if-range': time })).toBe('206 bytes 2-4/10 234');
      expect(await ranged('bytes=2-4', 'x', { 'if-range': later })).toBe('200 null 0123456789');
      expect(await ranged('bytes=2-4', 'x', { 'if-range': '"tag"' })).toBe('200 null 0123456789');
      const whole = await get(`${prefix}/x`);
      expect(whole.headers.get('last-modified')).toBe(time);
      expect(whole.headers.get('content-security-policy')).toBe("default-src 'none'; sandbox");
      expect(await whole.text()).toBe('0123456789');
      expect((await get(`${prefix}/x`, { 'if-modified-since': time })).status).toBe(304);
      const changed = await get(`${prefix}/x`, { 'if-modified-since': 'Mon, 13 Nov 2023 00:00:00 GMT' });
      expect(await changed.text()).toBe('0123456789');
    });

    test('of 100 MB passes both ways', async () => {
      const { get, put, root } = await strictly(stage);
      const piece = new Uint8Array(randomBytes(megabyte));
      let sent = 0;
      const body = new ReadableStream<Uint8Array>({
        pull(controller) {
          if (sent === 100) return controller.close();
          controller.enqueue(piece);
          sent++;
        },
      });
      expect((await put(`${prefix}/huge`, body)).status).toBe(200);
      expect((await root.commands.run(`stat -c %s ${prefix}/huge`)).stdout).toBe(`${100 * megabyte}\n`);
      const answer = await get(`${prefix}/huge`);
      let offset = 0;
      for await (const chunk of answer.body as ReadableStream<Uint8Array>) {
        for (let at = 0; at < chunk.length; ) {
          const from = (offset + at) % megabyte;
          const part = chunk.subarray(at, at + megabyte - from);
          if (Buffer.compare(part, piece.subarray(from, from + part.length)) !== 0)
            throw new Error(`differs near ${offset}`);
          at += part.length;
        }
        offset += chunk.length;
      }
      expect(offset).toBe(100 * megabyte);
    });

    test('that the user may not have is refused as by envd’s codes', async () => {
      const { get, put, sandbox } = await strictly(
        stage,
        'echo secret > secret && chmod 600 secret && mkdir -m 700 closed && mkdir -m 755 roots && echo x > roots/x && mkfifo pipe && chown user pipe',
      );
      expect(await codeOf(await get(`${prefix}/secret`))).toBe('403 permission_denied');
      expect(await codeOf(await get(`${prefix}/closed/x`))).toBe('403 permission_denied');
      expect(await codeOf(await get(`${prefix}/none`))).toBe('404 file_not_found');
      expect(await codeOf(await get(`${prefix}/none/x`))).toBe('404 file_not_found');
      expect(await codeOf(await get(prefix))).toBe('400 invalid_argument');
      expect(await codeOf(await get(`${prefix}/pipe`))).toBe('400 invalid_argument');
      expect(await codeOf(await put(`${prefix}/secret`, 'x'))).toBe('403 permission_denied');
      expect(await codeOf(await put(`${prefix}/roots/x`, 'x'))).toBe('403 permission_denied');
      expect(await codeOf(await put(`${prefix}/roots/y`, 'x'))).toBe('403 permission_denied');
      expect(await codeOf(await put(`${prefix}/roots/new/y`, 'x'))).toBe('403 permission_denied');
      expect(await codeOf(await put(`${prefix}/closed`, 'x'))).toBe('400 invalid_argument');
      expect(await codeOf(await put(`${prefix}/secret/x`, 'x'))).toBe('400 invalid_argument');
      expect(await failure(sandbox.files.list(`${prefix}/closed`))).toBe('permission_denied');
      expect(await failure(sandbox.files.list(`${prefix}/none`))).toBe('file_not_found');
      expect(await failure(sandbox.files.list(`${prefix}/secret`))).toBe('invalid_argument');
      expect(await failure(sandbox.files.makeDir(`${prefix}/roots/new`))).toBe('permission_denied');
      expect(await failure(sandbox.files.remove(`${prefix}/roots/x`))).toBe('permission_denied');
      expect(await failure(sandbox.files.rename(`${prefix}/roots/x`, `${prefix}/x`))).toBe(
        'permission_denied',
      );
      expect(await failure(sandbox.files.getInfo(`${prefix}/none`))).toBe('file_not_found');
      expect(await failure(sandbox.files.remove(`${prefix}/none/x`))).toBe('done');
    });
  });

  describe('a session in strict mode', () => {
    test('says what it cannot do', async () => {
      const { sandbox, put } = await strictly(stage);
      expect(await failure(sandbox.files.watchDir(prefix, () => undefined))).toBe('unimplemented');
      expect(await codeOf(await put(`${prefix}/x`, 'x', { 'x-metadata-colour': 'red' }))).toBe(
        '501 unimplemented',
      );
      const form = new FormData();
      form.append('file', new Blob(['x']), 'x');
      const { headers, body } = new Request('http://any.test', { method: 'POST', body: form });
      const type = headers.get('content-type') ?? '';
      expect(
        await codeOf(await put(`${prefix}/x`, await new Response(body).bytes(), { 'content-type': type })),
      ).toBe('501 unimplemented');
    });

    test('cannot turn it off, and does not see what it is done by', async () => {
      const { session, sandbox, get } = await strictly(
        stage,
        'dd if=/dev/zero of=big bs=1M count=64 2> /dev/null',
      );
      const broker = stage.at('default');
      const again = await broker.session(
        { sandbox: { id: session.sandboxId }, grants: { files: within, strict: true, user: 'user' } },
        { grant: { files: within, strict: false } },
      );
      expect(again.grant).toMatchObject({ strict: true, user: 'user' });
      const answer = await get(`${prefix}/big`);
      expect(await sandbox.commands.list()).toEqual([]);
      await answer.body?.cancel();
    });
  });
}
