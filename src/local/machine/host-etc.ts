import { cp, mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { resolverSettings } from './internet.js';

/** Of the host's /etc, what its programs need to work, and nothing that says who uses it or how to get in. */
const shared = [
  'alternatives',
  'bash.bashrc',
  'bash_completion.d',
  'ca-certificates',
  'ca-certificates.conf',
  'debian_version',
  'fonts',
  'host.conf',
  'inputrc',
  'ld.so.cache',
  'ld.so.conf',
  'ld.so.conf.d',
  'localtime',
  'locale.alias',
  'login.defs',
  'magic',
  'magic.mime',
  'mime.types',
  'nanorc',
  'nsswitch.conf',
  'os-release',
  'perl',
  'pki/ca-trust',
  'pki/tls/certs',
  'profile',
  'profile.d',
  'protocols',
  'services',
  'shells',
  'skel',
  'ssl/certs',
  'ssl/openssl.cnf',
  'terminfo',
  'timezone',
  'vim',
  'xattr.conf',
];
/** Directories whose names carry a version. */
const sharedPatterns = [/^python\d/, /^java-\d+-openjdk$/];

export const sandboxHostname = 'e2b-local';

const own: Record<string, string> = {
  passwd:
    'root:x:0:0:root:/root:/bin/bash\nuser:x:1000:1000:user:/home/user:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n',
  group: 'root:x:0:\ntty:x:5:\nuser:x:1000:\nnogroup:x:65534:\n',
  hosts: `127.0.0.1 localhost\n::1 localhost ip6-localhost\n127.0.1.1 ${sandboxHostname}\n`,
  hostname: `${sandboxHostname}\n`,
  'resolv.conf': resolverSettings,
};

/** Makes the `/etc` of sandboxes, with what their programs need of `source`. They see it read-only. */
export async function makeEtc(directory: string, source = '/etc'): Promise<void> {
  await mkdir(directory, { mode: 0o755 });
  const names = await readdir(source).catch(() => []);
  const versioned = names.filter((name) => sharedPatterns.some((it) => it.test(name)));
  for (const name of [...shared, ...versioned]) {
    await mkdir(dirname(join(directory, name)), { recursive: true });
    // What is not there, or is kept from others, is left out.
    await cp(join(source, name), join(directory, name), { recursive: true, verbatimSymlinks: true }).catch(
      () => {},
    );
  }
  for (const [name, text] of Object.entries(own)) await writeFile(join(directory, name), text);
}
