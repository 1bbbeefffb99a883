import type { CallOptions } from '../transport/call-options.js';
import type { Connection } from '../transport/connection.js';
import type { ChannelOpeners } from './pty.js';

/** What a sandbox object stands on. */
export interface SandboxParts {
  connection: Connection;
  channels: ChannelOpeners;
  /** Ends the sandbox; false when it had ended already. */
  kill(options: CallOptions): Promise<boolean>;
}
