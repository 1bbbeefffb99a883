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
export { type Client, type ClientPoolOptions, createClient, E2B } from './control/client.js';
// What the official package calls the same types.
export type {
  ConnectionOptions,
  ConnectionOptions as ConnectionConfigOpts,
  ConnectionOptions as ConnectionOpts,
  ConnectionOptions as E2BClientOpts,
  ConnectionOptions as SandboxApiOpts,
} from './control/config.js';
export type {
  McpServer,
  SandboxCreateOptions,
  SandboxCreateOptions as SandboxOpts,
} from './control/create-options.js';
export type {
  SandboxIamOptions,
  SandboxIamOptions as SandboxIamOpts,
  SandboxIamToken,
  SandboxIamTokenType,
} from './control/iam.js';
export type { SandboxLifecycle, SandboxOnTimeout } from './control/lifecycle-options.js';
export { type MapConcurrentOptions, mapConcurrent } from './control/map-concurrent.js';
export type {
  SandboxEgressProxyOptions as SandboxEgressProxyOpts,
  SandboxNetworkOptions as SandboxNetworkOpts,
} from './control/network-options.js';
export {
  ALL_TRAFFIC,
  type SandboxEgressProxyInfo,
  type SandboxEgressProxyOptions,
  type SandboxNetworkInfo,
  type SandboxNetworkOptions,
  type SandboxNetworkRule,
  type SandboxNetworkRuleInfo,
  type SandboxNetworkRules,
  type SandboxNetworkSelector,
  type SandboxNetworkSelectorContext,
  type SandboxNetworkTransform,
  type SandboxNetworkTransformContext,
  type SandboxNetworkTransformResolver,
  type SandboxNetworkUpdate,
} from './control/network-options.js';
export type { Paginator } from './control/paginator.js';
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
export { Sandbox, Sandbox as default } from './control/sandbox.js';
export type { SandboxPaginator, SnapshotPaginator } from './control/sandbox-api.js';
export type { SandboxInfo, SandboxInfoLifecycle } from './control/sandbox-info.js';
export type {
  CreateSnapshotOptions,
  CreateSnapshotOptions as CreateSnapshotOpts,
  SandboxConnectOptions,
  SandboxConnectOptions as SandboxConnectOpts,
  SandboxForkOptions,
  SandboxForkOptions as SandboxForkOpts,
  SandboxListOptions,
  SandboxListOptions as SandboxListOpts,
  SandboxListOrder,
  SandboxMetricsOptions,
  SandboxMetricsOptions as SandboxMetricsOpts,
  SandboxOnResume,
  SandboxPauseOptions,
  SandboxPauseOptions as SandboxPauseOpts,
  SnapshotListOptions,
  SnapshotListOptions as SnapshotListOpts,
} from './control/sandbox-options.js';
export type { SnapshotInfo } from './control/snapshot-info.js';
export * from './errors.js';
export type { CommandEvent } from './sandbox/command-event.js';
export { CommandHandle } from './sandbox/command-handle.js';
export type {
  CommandConnectOptions,
  CommandConnectOptions as CommandConnectOpts,
  CommandStartOptions,
  CommandStartOptions as CommandStartOpts,
} from './sandbox/command-options.js';
export type { Commands, ProcessInfo } from './sandbox/commands.js';
export { DurableCommand } from './sandbox/durable-command.js';
export type {
  CommandAttachOptions,
  DurableInfo,
  DurableListOptions,
  DurableTerminalInfo,
} from './sandbox/durable-options.js';
export type { FileOptions } from './sandbox/file-options.js';
export type { FileUrlOptions } from './sandbox/file-url.js';
export type {
  Files,
  Files as Filesystem,
  ListOptions,
  ListOptions as FilesystemListOpts,
} from './sandbox/files.js';
export { Git } from './sandbox/git.js';
export type {
  GitAddOptions,
  GitAddOptions as GitAddOpts,
  GitAuthenticateOptions,
  GitAuthenticateOptions as GitDangerouslyAuthenticateOpts,
  GitCloneOptions,
  GitCloneOptions as GitCloneOpts,
  GitCommitOptions,
  GitCommitOptions as GitCommitOpts,
  GitConfigOptions,
  GitConfigOptions as GitConfigOpts,
  GitConfigScope,
  GitDeleteBranchOptions,
  GitDeleteBranchOptions as GitDeleteBranchOpts,
  GitInitOptions,
  GitInitOptions as GitInitOpts,
  GitOptions,
  GitOptions as GitRequestOpts,
  GitPullOptions,
  GitPullOptions as GitPullOpts,
  GitPushOptions,
  GitPushOptions as GitPushOpts,
  GitRemoteAddOptions,
  GitRemoteAddOptions as GitRemoteAddOpts,
  GitResetMode,
  GitResetOptions,
  GitResetOptions as GitResetOpts,
  GitRestoreOptions,
  GitRestoreOptions as GitRestoreOpts,
} from './sandbox/git-options.js';
export type { GitBranches, GitFileStatus, GitStatus, GitStatusLabel } from './sandbox/git-status.js';
export type { InputSource } from './sandbox/input-source.js';
export { invitationLink, takeInvitation } from './sandbox/invitation-link.js';
export type { KillOptions, KillSignal } from './sandbox/kill-options.js';
export type { OutputBytes, OutputGap } from './sandbox/output-log.js';
export type { Preview } from './sandbox/preview.js';
export type { Pty } from './sandbox/pty.js';
export { PtyHandle } from './sandbox/pty-handle.js';
export type {
  PtyConnectOptions,
  PtyConnectOptions as PtyConnectOpts,
  PtyCreateOptions,
  PtyCreateOptions as PtyCreateOpts,
  PtyTransport,
} from './sandbox/pty-options.js';
export type { ReadFormats, ReadOptions, ReadOptions as FilesystemReadOpts } from './sandbox/read-file.js';
export { RunningCommand } from './sandbox/running-command.js';
export type { Sandbox as SessionSandbox } from './sandbox/sandbox.js';
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
export type {
  WriteEntry,
  WriteOptions,
  WriteOptions as FilesystemWriteOpts,
} from './sandbox/write-file.js';
export type { CallOptions, CallOptions as CommandRequestOpts } from './transport/call-options.js';
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
export { getSignature } from './wire/file-signature.js';
export { type FilesystemEvent, FilesystemEventType } from './wire/filesystem-event.js';
export type { PtyOutput, Stderr, Stdout, Username } from './wire/official-types.js';
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
