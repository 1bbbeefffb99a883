/** Each procedure that a page may call, and what its message has to be for this session. */

import type { StreamMethod, UnaryMethod } from '../wire/codec/message-type.js';
import {
  Filesystem,
  type ListDirRequest,
  type MakeDirRequest,
  type MoveRequest,
  type RemoveRequest,
  type StatRequest,
  type WatchDirRequest,
} from '../wire/messages/filesystem.js';
import {
  type ListResponse,
  Process,
  type ProcessSelector,
  type StartRequest,
} from '../wire/messages/process.js';
import type { Upstream } from './envd-upstream.js';
import type { FileAccess, FileGuard } from './file-guard.js';
import { requireSafePlaces } from './grant-conflict.js';
import { mayUse, type ProcessGuard, type ProcessUse, requireKind } from './process-guard.js';
import { exactKind, processTag } from './process-mark.js';
import { invalidRequest, notGranted } from './refusals.js';
import { processOwner, type SessionClaims } from './session-token.js';
import { bindStart, startOf } from './start-policy.js';
import {
  listStrictly,
  makeDirStrictly,
  moveStrictly,
  removeStrictly,
  statStrictly,
} from './strict/directories.js';
import { notInStrictMode } from './strict/program-error.js';
import type { StrictCall } from './strict/strict-call.js';

/** Who calls, and what to judge by. */
export interface CallContext {
  claims: SessionClaims;
  upstream: Upstream;
  processes: ProcessGuard;
  files: FileGuard;
}

type AnyMethod = UnaryMethod<unknown, unknown> | StreamMethod<unknown, unknown>;

/** A procedure that is let through. */
export interface RpcPolicy {
  method: AnyMethod;
  /** Changes the message into what may be forwarded. Rejects where the session may not. */
  admit(message: unknown, context: CallContext): Promise<void>;
  /** Changes envd's answer into what the session may know. Absent where that is all of it. */
  filter?(answer: unknown, context: CallContext): Promise<unknown>;
  /** Does it in strict mode, in the place of envd. */
  strict?(call: StrictCall, message: unknown): Promise<unknown>;
}

/** The procedure of a path like `process.Process/Start`, if there is one that may be called. */
export function rpcPolicy(path: string): RpcPolicy | undefined {
  return policies.get(path);
}

const read: FileAccess = { ops: ['read'], follows: true };
const write: FileAccess = { ops: ['write'], follows: true };
const removeLink: FileAccess = { ops: ['write'], follows: false };
// What is moved can be read where it arrives.
const moveLink: FileAccess = { ops: ['read', 'write'], follows: false };

const policies: ReadonlyMap<string, RpcPolicy> = /*@__PURE__*/ (() =>
  new Map(
    [
      policy(Process.list, async (_, { claims }) => requireAnyProcess(claims), {
        filter: (list, { processes, claims }) => processes.visible(list as ListResponse, claims),
      }),
      policy(Process.start, admitStart),
      policy(Process.connect, (message, context) => requireProcess(message.process, context, 'watch')),
      policy(Process.update, (message, context) => requireProcess(message.process, context, 'control')),
      policy(Process.sendInput, (message, context) => requireProcess(message.process, context, 'type')),
      policy(Process.sendSignal, (message, context) => requireProcess(message.process, context, 'control')),
      policy(Process.closeStdin, (message, context) => requireProcess(message.process, context, 'type')),
      policy(
        Filesystem.stat,
        (message: StatRequest, context) => admitPath(message, context, { ...read, follows: false }),
        { strict: statStrictly },
      ),
      policy(Filesystem.listDir, (message: ListDirRequest, context) => admitPath(message, context, read), {
        strict: listStrictly,
      }),
      policy(Filesystem.watchDir, admitWatch),
      policy(Filesystem.makeDir, (message: MakeDirRequest, context) => admitPath(message, context, write), {
        strict: makeDirStrictly,
      }),
      policy(
        Filesystem.remove,
        (message: RemoveRequest, context) => admitPath(message, context, removeLink),
        {
          strict: removeStrictly,
        },
      ),
      policy(Filesystem.move, admitMove, { strict: moveStrictly }),
    ].map((entry) => [entry.method.path, entry]),
  ))();

function policy<I, O>(
  method: UnaryMethod<I, O> | StreamMethod<I, O>,
  admit: (message: I, context: CallContext) => Promise<void>,
  more: Partial<Pick<RpcPolicy, 'filter'>> & {
    strict?: (call: StrictCall, message: I) => Promise<O>;
  } = {},
): RpcPolicy {
  return { method, admit, ...more } as RpcPolicy;
}

async function admitStart(message: StartRequest, { claims, upstream, files }: CallContext): Promise<void> {
  const { g: grant } = claims;
  const start = startOf(message, grant);
  const isExact = typeof start === 'object';
  if (isExact) {
    await requireSafePlaces(start, grant, (path) => files.realPath(upstream, path));
    bindStart(message, start);
  }
  message.tag = await processTag(processOwner(claims), grant.user, isExact ? await exactKind(start) : start);
}

/** The list is of the session's own processes, so it takes being able to have some. */
async function requireAnyProcess({ g }: SessionClaims): Promise<void> {
  if (g.pty === 'none' && g.commands === 'none') throw notGranted('list processes');
}

async function requireProcess(
  process: ProcessSelector | undefined,
  { claims, upstream, processes }: CallContext,
  use: ProcessUse,
): Promise<void> {
  await requireAnyProcess(claims);
  if (process?.selector.case !== 'pid') throw invalidRequest('A process is named by its pid.');
  const pid = process.selector.value;
  const owner = processOwner(claims);
  const found =
    use === 'watch' ? processes.lastKindOf(upstream, owner, pid) : processes.kindOf(upstream, owner, pid);
  const kind = requireKind(await found, pid);
  if (!(await mayUse(claims.g, kind, use))) throw notGranted(refusedUses[use]);
}

const refusedUses: Record<ProcessUse, string> = {
  watch: 'watch this process',
  control: 'control this process',
  type: "write to this process's input",
};

async function admitPath(message: { path: string }, context: CallContext, access: FileAccess): Promise<void> {
  message.path = await context.files.check(context.upstream, context.claims.g, message.path, access);
}

/** It tells names below the directory, which can be listed as well. */
async function admitWatch(message: WatchDirRequest, context: CallContext): Promise<void> {
  if (context.claims.g.strict) throw notInStrictMode('watch directories');
  await admitPath(message, context, read);
}

async function admitMove(message: MoveRequest, { files, upstream, claims }: CallContext): Promise<void> {
  message.source = await files.check(upstream, claims.g, message.source, moveLink);
  message.destination = await files.check(upstream, claims.g, message.destination, removeLink);
}
