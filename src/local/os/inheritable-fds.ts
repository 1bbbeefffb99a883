import { existsSync, readdirSync, readFileSync } from 'node:fs';

const closeOnExec = 0o2000000;
const bash = '/bin/bash';

/**
 * Descriptors that every child would inherit beside its stdio: Node closes its own, but not those that it was
 * started with (beyond the first few). Linux only.
 */
export function inheritableFds(): number[] {
  const found: number[] = [];
  for (const name of existsSync('/proc/self/fdinfo') ? readdirSync('/proc/self/fdinfo') : []) {
    const fd = Number(name);
    if (fd > 2 && !isCloseOnExec(fd)) found.push(fd);
  }
  return found;
}

function isCloseOnExec(fd: number): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1];
    return (Number.parseInt(flags ?? '0', 8) & closeOnExec) !== 0;
  } catch {
    // The one that the directory was read with.
    return true;
  }
}

/**
 * A command that closes those descriptors and becomes the given one. bash, because other shells know no
 * descriptor above 9; without bash they stay open. `-p` keeps it from reading any startup file.
 */
export function closingFds(
  fds: readonly number[],
  file: string,
  args: readonly string[],
): { file: string; args: string[] } {
  if (fds.length === 0 || !existsSync(bash)) return { file, args: [...args] };
  const script = `exec ${fds.map((fd) => `${fd}>&-`).join(' ')}; exec "$@"`;
  return { file: bash, args: ['-p', '-c', script, bash, file, ...args] };
}
