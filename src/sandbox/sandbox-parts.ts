import type { Connection } from '../transport/connection.js';
import type { DurableCommands } from './durable-options.js';
import type { FileUrlTarget } from './file-url.js';
import type { ProcessControls } from './process-controls.js';
import type { ChannelOpeners } from './pty.js';
import type { SessionControl } from './session-control.js';

/** What a sandbox object stands on. */
export interface SandboxParts {
  connection: Connection;
  channels: ChannelOpeners;
  /** Absent with a session. */
  durable?: (controls: ProcessControls) => DurableCommands;
  /** Where URLs of files lead to, and what signs them; absent with a session, whose broker signs them. */
  files?: FileUrlTarget;
  /** Absent with an API key, and where the page has envd's own token. */
  session?: SessionControl;
}
