/**
 * What a tab remembers. The sandbox's id is in the address, so that a reload, a bookmark and a second tab find the
 * same sandbox. The shell is the tab's own: a reload finds it again, another tab gets one of its own. The token is
 * never kept.
 */

const lockPatienceMs = 1_000;

/** The sandbox named by the address. */
export function rememberedSandbox(): string | undefined {
  return new URLSearchParams(location.hash.slice(1)).get('sandbox') ?? undefined;
}

/** Puts the sandbox into the address, or takes it out. */
export function rememberSandbox(sandboxId: string | undefined): void {
  const hash = sandboxId === undefined ? '' : `#${new URLSearchParams({ sandbox: sandboxId })}`;
  history.replaceState(null, '', `${location.pathname}${hash}`);
}

export function rememberShell(sandboxId: string, pid: number): void {
  sessionStorage.setItem(shellKey(sandboxId), String(pid));
  void holdShell(sandboxId, pid);
}

/** The shell that this tab had. A tab that was duplicated has a copy of the memory, but not the shell. */
export async function rememberedShell(sandboxId: string): Promise<number | undefined> {
  const pid = Number(sessionStorage.getItem(shellKey(sandboxId)) ?? Number.NaN);
  if (!Number.isInteger(pid)) return undefined;
  return (await holdShell(sandboxId, pid)) ? pid : undefined;
}

export function forgetShell(sandboxId: string): void {
  sessionStorage.removeItem(shellKey(sandboxId));
}

const held = new Set<string>();

/**
 * Marks the shell as this tab's, as long as the page lives. False when another tab has it: the page before a reload may
 * take a moment to let go.
 */
async function holdShell(sandboxId: string, pid: number): Promise<boolean> {
  const name = `${shellKey(sandboxId)}:${pid}`;
  if (held.has(name)) return true;
  return new Promise((resolve) => {
    navigator.locks
      .request(name, { signal: AbortSignal.timeout(lockPatienceMs) }, () => {
        held.add(name);
        resolve(true);
        return new Promise(() => undefined);
      })
      .catch(() => resolve(false));
  });
}

function shellKey(sandboxId: string): string {
  return `shell:${sandboxId}`;
}
