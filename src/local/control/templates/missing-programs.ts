import { access, constants, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Where the programs of a sandbox are looked for. */
const directories = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** Those of the programs that a sandbox with this userland would not have. */
export async function missingPrograms(programs: readonly string[], image = '/'): Promise<string[]> {
  const found = await Promise.all(programs.map((program) => isThere(program, image)));
  return programs.filter((_, i) => !found[i]);
}

async function isThere(program: string, image: string): Promise<boolean> {
  const paths = program.includes('/') ? [program] : directories.map((directory) => join(directory, program));
  for (const path of paths) if (await isExecutable(join(image, path))) return true;
  return false;
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
