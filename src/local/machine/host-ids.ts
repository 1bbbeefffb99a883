import { readFileSync } from 'node:fs';

/** Somebody on the host. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Whom the processes and files of the sandboxes belong to on the host. */
export interface HostIds {
  /** Whom bubblewrap is started as, when that is not the server's own user. */
  readonly launcher: Owner | undefined;
  /**
   * Whether a sandbox has real users: its ids 0 to 65535 are the launcher's and those that follow it. Otherwise
   * it has one, 1000, which is the launcher (or the server's user) on the host.
   */
  readonly range: boolean;
}

export const rangeLength = 65_536;
/** The uid of `user` in a sandbox. */
export const userId = 1000;

/** In the gap that systemd's table of uids leaves free, above what useradd gives out as subordinate ids. */
const rangeStart = 0x7740_0000;
/** Another number that nobody has. Root without any capability would still own /proc/sys, and the host with it. */
const singleId = 60_999;

const nobodyElse: HostIds = { launcher: undefined, range: false };

/** What is worth trying here, the best first. Only root may give a namespace more than one id. */
export function possibleIds(): HostIds[] {
  if (process.getuid?.() !== 0) return [nobodyElse];
  const single: HostIds = { launcher: { uid: singleId, gid: singleId }, range: false };
  if (!isMapped(rangeStart, rangeLength)) return [single];
  return [{ launcher: { uid: rangeStart, gid: rangeStart }, range: true }, single];
}

/** Who on the host owns what belongs to this id in a sandbox; `undefined`: the server's own user. */
export function ownerOf({ launcher, range }: HostIds, id: number): Owner | undefined {
  if (!launcher || !range) return launcher;
  return { uid: launcher.uid + id, gid: launcher.gid + id };
}

/** Whether these ids exist where the server runs, which may be a namespace itself. */
function isMapped(first: number, count: number): boolean {
  return ['uid', 'gid'].every((kind) =>
    readFileSync(`/proc/self/${kind}_map`, 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/).map(Number))
      .some(([inside = 0, , length = 0]) => inside <= first && first + count <= inside + length),
  );
}
