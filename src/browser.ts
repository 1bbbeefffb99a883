export type {
  Channel,
  ChannelEvent,
  ChannelMode,
  ChannelSharing,
  ChannelStatus,
  ExitEvent,
  GapEvent,
  OutputEvent,
  PtySize,
  SizeEvent,
} from './channel/channel.js';
export * from './errors.js';
export type { CommandEvent } from './sandbox/command-event.js';
export { CommandHandle } from './sandbox/command-handle.js';
export type { CommandConnectOptions, CommandStartOptions } from './sandbox/command-options.js';
export type { Commands, ProcessInfo } from './sandbox/commands.js';
export type { DurableCommand } from './sandbox/durable-command.js';
export type {
  CommandAttachOptions,
  DurableInfo,
  DurableListOptions,
  DurableTerminalInfo,
} from './sandbox/durable-options.js';
export type { FileOptions } from './sandbox/file-options.js';
export type { FileUrlOptions } from './sandbox/file-url.js';
export type { Files, ListOptions } from './sandbox/files.js';
export type { InputSource } from './sandbox/input-source.js';
export { invitationLink, takeInvitation } from './sandbox/invitation-link.js';
export type { KillOptions, KillSignal } from './sandbox/kill-options.js';
export type { MetricsOptions } from './sandbox/metrics-options.js';
export type { OutputBytes, OutputGap } from './sandbox/output-log.js';
export type { Preview } from './sandbox/preview.js';
export type { Pty } from './sandbox/pty.js';
export { PtyHandle } from './sandbox/pty-handle.js';
export type { PtyConnectOptions, PtyCreateOptions, PtyTransport } from './sandbox/pty-options.js';
export type { ReadFormats, ReadOptions } from './sandbox/read-file.js';
export { RunningCommand } from './sandbox/running-command.js';
export { Sandbox } from './sandbox/sandbox.js';
export type { SessionConnectOptions } from './sandbox/session-connection.js';
export type {
  Invitation,
  InviteOptions,
  PauseOptions,
  ResumeOptions,
  SessionEnd,
} from './sandbox/session-options.js';
export type { FileData } from './sandbox/upload-body.js';
export { WatchHandle, type WatchListener } from './sandbox/watch-handle.js';
export type { WatchEvent, WatchGap, WatchOptions } from './sandbox/watch-options.js';
export type { WriteEntry, WriteOptions } from './sandbox/write-file.js';
export type { CallOptions } from './transport/call-options.js';
export type { ClientOptions } from './transport/client-options.js';
export {
  type FetchDirectSessionOptions,
  type FetchSessionOptions,
  fetchSession,
} from './transport/fetch-session.js';
export type {
  CallEvent,
  ErrorEvent,
  Hooks,
  Logger,
  RequestEvent,
  ResponseEvent,
  RetryEvent,
} from './transport/hooks.js';
export type { SessionFunction, SessionRequest, SessionSource } from './transport/session-source.js';
export type { TraceParent } from './transport/trace-parent.js';
export { type EntryInfo, FileType, type WriteInfo } from './wire/file-entry.js';
export { type FilesystemEvent, FilesystemEventType } from './wire/filesystem-event.js';
export type { SandboxMetrics } from './wire/sandbox-metrics.js';
export type { SandboxState, SandboxSummary } from './wire/sandbox-summary.js';
export type {
  DirectSession,
  ExactCommand,
  FileGrant,
  Grant,
  LifecycleGrant,
  Session,
} from './wire/session.js';
