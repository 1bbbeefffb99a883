import type { CallOptions } from '../transport/call-options.js';
import type { FileData } from './upload-body.js';

/** Options of every call about files. */
export interface FileOptions extends CallOptions {
  /**
   * The Linux user whose home relative paths are below, and who gets what is made. Default: the template's. Through a
   * broker the session's user always wins.
   */
  user?: string;
}

/** A file to write. */
export interface WriteEntry {
  path: string;
  data: FileData;
}
