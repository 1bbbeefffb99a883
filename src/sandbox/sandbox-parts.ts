import type { Connection } from '../transport/connection.js';
import type { ChannelOpeners } from './pty.js';

/** What a sandbox object stands on. */
export interface SandboxParts {
  connection: Connection;
  channels: ChannelOpeners;
}
