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
import {
  mayControl,
  mayWatch,
  type ProcessGuard,
  type ProcessKind,
  processTag,
  requireKind,
  visibleProcesses,
} from './process-guard.js';
import { invalidRequest, notGranted } from './refusals.js';
import { processOwner, type SessionClaims } from './session-token.js';

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
  /** Whether doing it twice is something else than doing it once. */
  once?: boolean;
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
        filter: (list, { claims }) => visibleProcesses(list as ListResponse, claims),
      }),
      policy(Process.start, admitStart, { once: true }),
      policy(Process.connect, (message, context) => requireProcess(message.process, context, mayWatch)),
      policy(Process.update, (message, context) => requireProcess(message.process, context, mayControl)),
      policy(Process.sendInput, (message, context) => requireProcess(message.process, context, mayControl), {
        once: true,
      }),
      policy(Process.sendSignal, (message, context) => requireProcess(message.process, context, mayControl)),
      policy(Process.closeStdin, (message, context) => requireProcess(message.process, context, mayControl)),
      policy(Filesystem.stat, (message: StatRequest, context) =>
        admitPath(message, context, { ...read, follows: false }),
      ),
      policy(Filesystem.listDir, (message: ListDirRequest, context) => admitPath(message, context, read)),
      // It tells names below the directory, which can be listed as well.
      policy(Filesystem.watchDir, (message: WatchDirRequest, context) => admitPath(message, context, read)),
      policy(Filesystem.makeDir, (message: MakeDirRequest, context) => admitPath(message, context, write)),
      policy(Filesystem.remove, (message: RemoveRequest, context) => admitPath(message, context, removeLink)),
      policy(Filesystem.move, admitMove),
    ].map((entry) => [entry.method.path, entry]),
  ))();

function policy<I, O>(
  method: UnaryMethod<I, O> | StreamMethod<I, O>,
  admit: (message: I, context: CallContext) => Promise<void>,
  more: Pick<RpcPolicy, 'filter' | 'once'> = {},
): RpcPolicy {
  return { method, admit: admit as RpcPolicy['admit'], ...more };
}

async function admitStart(message: StartRequest, { claims }: CallContext): Promise<void> {
  message.tag = await processTag(processOwner(claims), claims.g.user, startKind(message, claims));
}

/** What a start needs and gets: a terminal, any command, or one that is listed. */
function startKind(
  { pty, process }: StartRequest,
  { g: { pty: ptyGrant, commands } }: SessionClaims,
): ProcessKind {
  if (!process?.cmd) throw invalidRequest('There is no command to start.');
  if (pty) {
    if (ptyGrant !== 'write') throw notGranted('open a terminal');
    return 'pty';
  }
  if (commands === 'run') return 'run';
  if (commands === 'none') throw notGranted('run commands');
  const { cmd, args, envs, cwd } = process;
  const [login, flag, command] = args;
  const isShell = cmd === '/bin/bash' && args.length === 3 && login === '-l' && flag === '-c';
  // Another environment or directory makes another command of the same words.
  const isPlain = Object.keys(envs).length === 0 && (cwd === undefined || cwd === '');
  if (!isShell || !isPlain || command === undefined || !commands.includes(command)) {
    throw notGranted('run this command, or not with these arguments, variables or directory');
  }
  return 'exact';
}

/** The list is of the session's own processes, so it takes being able to have some. */
async function requireAnyProcess({ g }: SessionClaims): Promise<void> {
  if (g.pty === 'none' && g.commands === 'none') throw notGranted('list processes');
}

async function requireProcess(
  process: ProcessSelector | undefined,
  { claims, upstream, processes }: CallContext,
  may: typeof mayControl,
): Promise<void> {
  await requireAnyProcess(claims);
  if (process?.selector.case !== 'pid') throw invalidRequest('A process is named by its pid.');
  const pid = process.selector.value;
  const kind = requireKind(await processes.kindOf(upstream, processOwner(claims), pid), pid);
  if (!may(claims.g, kind))
    throw notGranted(may === mayWatch ? 'watch this process' : 'control this process');
}

async function admitPath(message: { path: string }, context: CallContext, access: FileAccess): Promise<void> {
  message.path = await context.files.check(context.upstream, context.claims.g, message.path, access);
}

async function admitMove(message: MoveRequest, { files, upstream, claims }: CallContext): Promise<void> {
  message.source = await files.check(upstream, claims.g, message.source, moveLink);
  message.destination = await files.check(upstream, claims.g, message.destination, removeLink);
}
