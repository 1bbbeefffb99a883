import { statfs } from 'node:fs/promises';

/** What statfs(2) says of NFS, CIFS, SMB, SMB2 and FUSE. */
const networkTypes: ReadonlySet<number> = new Set([0x6969, 0xff534d42, 0x517b, 0xfe534d42, 0x65735546]);

/** Whether what happens there may happen on another machine, of which the kernel tells nothing. */
export async function isOnNetworkMount(path: string): Promise<boolean> {
  return networkTypes.has((await statfs(path)).type);
}
