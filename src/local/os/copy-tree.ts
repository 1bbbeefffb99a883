import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const longestComplaint = 500;

/**
 * Copies what is in one directory into another, which is made where it is missing: with owners, modes, times,
 * links, holes and attributes, sharing blocks where the file system can. `cp`, because Node's own copies few of
 * those.
 */
export async function copyTree(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true, mode: 0o755 });
  // Linux's cp shares blocks when told so, macOS's when it can.
  const sharing = process.platform === 'linux' ? ['--reflink=auto'] : [];
  await run('cp', ['-a', ...sharing, '--', `${from}/.`, to]).catch((error: { stderr?: string }) => {
    // There may be as many complaints as there are files.
    const complaint = (error.stderr || String(error)).slice(0, longestComplaint).split('\n', 1)[0];
    throw new Error(`files cannot be copied: ${complaint}`, { cause: error });
  });
}

/** Gives a directory and all that is in it to somebody, links themselves and not where they lead. */
export async function chownTree(path: string, { uid, gid }: { uid: number; gid: number }): Promise<void> {
  await run('chown', ['-hR', `${uid}:${gid}`, '--', path]);
}
