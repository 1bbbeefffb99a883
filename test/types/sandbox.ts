/**
 * Checked by the compiler alone: what a program of the official package passes in is taken here, and what it takes out
 * is what it expects. `Accepts<Theirs, Ours>` does not compile where it is not so.
 */

import type * as official from 'e2b';
import type * as edge from 'e2b-edge';

type Accepts<_Given extends Wanted, Wanted> = true;

/** Theirs go in. */
export type Options = [
  Accepts<official.ConnectionOpts, edge.ConnectionOpts>,
  Accepts<official.E2BClientOpts, edge.E2BClientOpts>,
  Accepts<official.SandboxApiOpts, edge.SandboxApiOpts>,
  Accepts<official.SandboxOpts, edge.SandboxOpts>,
  Accepts<official.SandboxConnectOpts, edge.SandboxConnectOpts>,
  Accepts<official.SandboxForkOpts, edge.SandboxForkOpts>,
  Accepts<official.SandboxListOpts, edge.SandboxListOpts>,
  Accepts<official.SandboxMetricsOpts, edge.SandboxMetricsOpts>,
  Accepts<official.SandboxPauseOpts, edge.SandboxPauseOpts>,
  Accepts<official.SnapshotListOpts, edge.SnapshotListOpts>,
  Accepts<official.CreateSnapshotOpts, edge.CreateSnapshotOpts>,
  Accepts<official.SandboxNetworkOpts, edge.SandboxNetworkOpts>,
  Accepts<official.SandboxNetworkUpdate, edge.SandboxNetworkUpdate>,
  Accepts<official.SandboxLifecycle, edge.SandboxLifecycle>,
  Accepts<official.SandboxIamOpts, edge.SandboxIamOpts>,
  Accepts<official.McpServer, edge.McpServer>,
  Accepts<official.Volume, NonNullable<edge.SandboxOpts['volumeMounts']>[string]>,
];

/** Ours come out. */
export type Results = [
  Accepts<edge.SandboxInfo, official.SandboxInfo>,
  Accepts<edge.SandboxInfoLifecycle, official.SandboxInfoLifecycle>,
  Accepts<edge.SandboxNetworkInfo, official.SandboxNetworkInfo>,
  Accepts<edge.SandboxMetrics, official.SandboxMetrics>,
  Accepts<edge.SnapshotInfo, official.SnapshotInfo>,
  Accepts<edge.SandboxState, official.SandboxState>,
  Accepts<edge.SandboxNetworkSelectorContext, official.SandboxNetworkSelectorContext>,
  Accepts<edge.SandboxNetworkTransformContext, official.SandboxNetworkTransformContext>,
];

type Instance = InstanceType<typeof edge.Sandbox>;
type Theirs = InstanceType<typeof official.Sandbox>;

/** What there is on theirs is on ours; the parts are looked at beside their own code. */
export type Members = [
  Accepts<keyof Theirs, keyof Instance>,
  Accepts<Exclude<keyof typeof official.Sandbox, 'prototype'>, keyof typeof edge.Sandbox>,
  Accepts<keyof official.SandboxPaginator, keyof edge.SandboxPaginator>,
  Accepts<keyof official.SnapshotPaginator, keyof edge.SnapshotPaginator>,
];
