export type {
  Channel,
  ChannelEvent,
  ChannelStatus,
  ExitEvent,
  GapEvent,
  OutputEvent,
  PtySize,
} from './channel/channel.js';
// What the official package calls the same types.
export type {
  ConnectionOptions,
  ConnectionOptions as ConnectionOpts,
  ConnectionOptions as SandboxApiOpts,
} from './control/config.js';
export { type MapConcurrentOptions, mapConcurrent } from './control/map-concurrent.js';
export { SandboxPaginator } from './control/paginator.js';
export { createSandboxPool } from './control/pool/create-sandbox-pool.js';
export type { PoolLease } from './control/pool/pool-lease.js';
export type {
  PoolableSandbox,
  PoolCall,
  PoolStep,
  SandboxPoolOptions,
} from './control/pool/pool-options.js';
export type {
  AcquireOptions,
  DrainOptions,
  PoolStats,
  SandboxPool,
} from './control/pool/sandbox-pool.js';
export type {
  SandboxConnectOptions as SandboxConnectOpts,
  SandboxCreateOptions as SandboxOpts,
  SandboxListOptions as SandboxListOpts,
} from './control/sandbox.js';
export {
  Sandbox,
  Sandbox as default,
  type SandboxConnectOptions,
  type SandboxCreateOptions,
  type SandboxListOptions,
} from './control/sandbox.js';
export type { SandboxInfo, SandboxState } from './control/sandbox-info.js';
export * from './errors.js';
export { type CommandEvent, CommandHandle } from './sandbox/command-handle.js';
export type {
  CommandConnectOptions,
  CommandConnectOptions as CommandConnectOpts,
  CommandStartOptions,
  CommandStartOptions as CommandStartOpts,
  Commands,
  ProcessInfo,
} from './sandbox/commands.js';
export type { FileOptions } from './sandbox/file-options.js';
export type { FileUrlOptions } from './sandbox/file-url.js';
export type {
  Files,
  Files as Filesystem,
  ListOptions,
  ListOptions as FilesystemListOpts,
} from './sandbox/files.js';
export type { Pty, PtyConnectOptions, PtyCreateOptions, PtyTransport } from './sandbox/pty.js';
export { PtyHandle } from './sandbox/pty-handle.js';
export type { ReadFormats, ReadOptions, ReadOptions as FilesystemReadOpts } from './sandbox/read-file.js';
export type { Sandbox as SessionSandbox } from './sandbox/sandbox.js';
export type { SessionConnectOptions } from './sandbox/session-connection.js';
export type { FileData } from './sandbox/upload-body.js';
export type {
  WriteEntry,
  WriteOptions,
  WriteOptions as FilesystemWriteOpts,
} from './sandbox/write-file.js';
export type { CallOptions, CallOptions as CommandRequestOpts } from './transport/call-options.js';
export type { ClientOptions } from './transport/client-options.js';
export { type FetchSessionOptions, fetchSession } from './transport/fetch-session.js';
export type {
  CallEvent,
  ErrorEvent,
  Hooks,
  Logger,
  RequestEvent,
  ResponseEvent,
  RetryEvent,
} from './transport/hooks.js';
export type { SessionRequest, SessionSource } from './transport/session-credential.js';
export type { TraceParent } from './transport/trace-parent.js';
export { type EntryInfo, FileType, type WriteInfo } from './wire/file-entry.js';
export { getSignature } from './wire/file-signature.js';
export type { FileGrant, Grant, LifecycleGrant, Session } from './wire/session.js';
