import type { Channel } from 'e2b-edge';
import { sandbox } from './sandbox.js';

const terminal = await sandbox.pty.create({ cols: 80, rows: 24 });
await sandbox.pty.sendInput(terminal.pid, new TextEncoder().encode('exit\n'));

/** Ends soon, so that a loop over it does. */
export const channel: Channel = terminal.channel;
