import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PathSpace } from './paths.js';

const names = ['E2B_SANDBOX', 'E2B_SANDBOX_ID', 'E2B_TEMPLATE_ID'] as const;

/** Writes down who the sandbox is, for programs that do not get it in their environment, such as those of cron. */
export async function writeRunFiles(paths: PathSpace, envs: Readonly<Record<string, string>>): Promise<void> {
  const directory = await paths.entry('/run/e2b');
  // Where files were kept, they are those of the sandbox that these came from.
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { mode: 0o755 });
  for (const name of names) {
    const value = envs[name];
    if (value !== undefined) await writeFile(join(directory, `.${name}`), value, { mode: 0o444 });
  }
}
