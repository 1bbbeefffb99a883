/** Files under a prefix, before a real envd that follows symlinks as root: what a page sends never leaves the prefix. */

import type { Grant, Session } from 'e2b-edge/broker';
import type { Sandbox } from 'e2b-edge/browser';
import { describe, expect, test } from 'vitest';
import { bearer, everything, sendAsBrowser } from '../broker-client.js';
import type { BrokerStage } from '../broker-stage.js';

const home = '/home/user';
const prefix = `${home}/in`;

export function prefixes(stage: BrokerStage): void {
  /** A session on a directory beside another with a secret, and one that may do all. */
  async function confined(setUp = 'true'): Promise<{ root: Sandbox; session: Session; sandbox: Sandbox }> {
    const broker = stage.at('default');
    const made = await broker.session({ grants: everything });
    const root = await broker.connect(made);
    await root.commands.run(
      `mkdir -p ${prefix}/d out && echo secret > out/secret && cd ${prefix} && echo a > d/a && ${setUp}`,
      { cwd: home },
    );
    const files: Grant['files'] = [
      { op: 'read', prefix },
      { op: 'write', prefix },
    ];
    const session = await broker.session({ sandbox: { id: made.sandboxId }, grants: { files } });
    return { root, session, sandbox: await broker.connect(session) };
  }

  const ask = (session: Session, query: string, init: RequestInit = {}) =>
    sendAsBrowser(`${session.urls.envd}/files?${query}`, {
      ...init,
      headers: { ...bearer(session), 'accept-encoding': 'identity', ...(init.headers as object) },
    });
  const failure = (work: Promise<unknown>) =>
    work.then(
      () => 'done',
      (error: { code: string }) => error.code,
    );

  describe('a prefix', () => {
    test.each([
      ['to a directory', 'ln -s ../out link', 'link'],
      ['on the way', 'ln -s ../out link', 'link/secret'],
      ['on the way to what is not there', 'ln -s ../out link', 'link/new/x'],
      ['to a file', 'ln -s ../out/secret link', 'link'],
      ['to nothing', 'ln -s ../out/new link', 'link'],
      ['to a symlink', 'ln -s ../out link2 && ln -s link2 link', 'link/secret'],
      ['to itself', 'ln -s link link', 'link'],
      ['of a process', 'ln -s /proc/self/root link', 'link/home/user/out/secret'],
      ['in the place of the prefix', 'cd .. && mv in moved && ln -s out in', 'secret'],
    ])('is not left by a symlink %s', async (_name, link, path) => {
      const { root, session, sandbox } = await confined(link);
      const at = `${prefix}/${path}`;
      const query = new URLSearchParams({ path: at }).toString();
      const put = { method: 'POST', headers: { 'content-type': 'application/octet-stream' }, body: 'mine' };
      for (const answer of [await ask(session, query), await ask(session, query, put)]) {
        expect(answer.status).toBe(403);
        expect(await answer.json()).toMatchObject({ code: 'permission_denied' });
      }
      for (const refused of [
        () => sandbox.files.list(at, { depth: 5 }),
        () => sandbox.files.watchDir(at, () => undefined, { recursive: true }),
        () => sandbox.files.makeDir(`${at}/made`),
        () => sandbox.files.remove(`${at}/secret`),
        () => sandbox.files.rename(`${at}/secret`, `${prefix}/stolen`),
        () => sandbox.files.rename(`${prefix}/d/a`, `${at}/secret`),
      ]) {
        expect(await failure(refused())).toBe('permission_denied');
      }
      const { stdout } = await root.commands.run('ls -A; cat secret', { cwd: `${home}/out` });
      expect(stdout).toBe('secret\nsecret\n');
    });

    test('lists symlinks without what is behind them, and removes them alone', async () => {
      const { root, sandbox } = await confined('ln -s ../out link');
      const names = (await sandbox.files.list(prefix, { depth: 5 })).map(({ path }) => path);
      expect(names).toEqual([`${prefix}/d`, `${prefix}/d/a`, `${prefix}/link`]);
      await sandbox.files.remove(`${prefix}/link`);
      expect((await root.commands.run('cat out/secret; ls in', { cwd: home })).stdout).toBe('secret\nd\n');
    });

    const encoded = encodeURIComponent(prefix);
    test.each([
      ['two dots', `path=${encoded}/../out/secret`, 403],
      ['two dots with percents', `path=${encoded}/%2e%2e/out/secret`, 403],
      ['slashes with percents', `path=${encoded}%2f..%2fout%2fsecret`, 403],
      ['two dots with percents of percents', `path=${encoded}/%252e%252e/out/secret`, 404],
      ['two dots in too many bytes', `path=${encoded}/%c0%ae%c0%ae/out/secret`, 404],
      ['a slash in too many bytes', `path=${encoded}/..%c0%afout/secret`, 404],
      ['what looks like two dots', `path=${encoded}/%e2%80%a5/out/secret`, 404],
      ['two dots of full width', `path=${encoded}/%ef%bc%8e%ef%bc%8e/out/secret`, 404],
      ['another form of a letter', `path=${encoded}%cc%81/x`, 403],
      ['a NUL', `path=${encoded}/d/a%00/../../out/secret`, 400],
      ['backslashes', `path=${encoded}/..\\out\\secret`, 400],
      ['a colon', `path=${encoded}/d:../out/secret`, 404],
      ['many slashes', `path=//home//user///out/secret`, 403],
      ['a home', 'path=~/out/secret', 403],
      ['another’s home', 'path=~root/secret', 400],
      ['a home in the middle', `path=${encoded}/~/out/secret`, 404],
      ['no path', '', 400],
      ['an empty path', 'path=', 400],
      ['two paths', `path=${encoded}/d/a&path=/home/user/out/secret`, 400],
      ['a path after a semicolon', `path=${encoded}/d/none;path=/home/user/out/secret`, 404],
      ['a path of another case', 'Path=/home/user/out/secret', 400],
      ['a list of paths', 'path[]=/home/user/out/secret', 400],
      ['another user', `path=${encoded}/none&username=root`, 404],
    ])('is not left by %s', async (_name, query, status) => {
      const { root, session } = await confined();
      const answer = await ask(session, query);
      expect(answer.status).toBe(status);
      expect(await answer.text()).not.toContain('secret\n');
      const put = { method: 'POST', headers: { 'content-type': 'application/octet-stream' }, body: 'mine' };
      await (await ask(session, query, put)).text();
      const { stdout } = await root.commands.run('cat out/secret; find . -user root', { cwd: home });
      expect(stdout).toBe('secret\n');
    });

    test('is not left by the names in a form', async () => {
      const { root, session } = await confined();
      const form = (...parts: [name: string, fileName: string, text: string][]) => ({
        method: 'POST',
        headers: { 'content-type': 'multipart/form-data; boundary=b' },
        body: `${parts
          .map(
            ([name, fileName, text]) =>
              `--b\r\nContent-Disposition: form-data; name="${name}"; filename="${fileName}"\r\n\r\n${text}\r\n`,
          )
          .join('')}--b--\r\n`,
      });
      const evil = `${home}/out/evil`;
      expect((await ask(session, '', form(['file', evil, 'x']))).status).toBe(400);
      const path = `path=${encoded}/form`;
      expect((await ask(session, path, form(['file', evil, 'x'], ['path', '', evil]))).status).toBe(200);
      expect((await ask(session, path, form(['file', evil, '1'], ['file', '../out/evil', '2']))).status).toBe(
        400,
      );
      expect((await root.commands.run('ls in out; cat in/form', { cwd: home })).stdout).toBe(
        'in:\nd\nform\n\nout:\nsecret\n1',
      );
    });
  });
}
