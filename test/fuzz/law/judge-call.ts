import type { DescMethod } from '@bufbuild/protobuf';
import { fromBinary } from '@bufbuild/protobuf';
import {
  type ProcessSelector,
  type StartRequest,
  StreamInputRequestSchema,
} from '../../../src/wire/gen/process/process_pb.js';
import { type Arrived, messageOf } from '../support/arrived.js';
import type { LawfulSession } from '../support/session.js';
import { home, locate } from '../support/tree.js';
import type { Program, World } from '../support/world.js';
import { commandOf, mayType } from './commands.js';
import type { Asked } from './judge-arrival.js';
import { isOnOneWay, judgePath } from './judge-path.js';
import { judgeHelper } from './judge-strict.js';

/** Whether a call may arrive at envd with this message. */
export function judgeCall(
  world: World,
  arrived: Arrived,
  method: DescMethod,
  who: LawfulSession,
  asked: Asked,
): void {
  // What the page asks of files, and what the broker does for it.
  const isOfFiles = /^\/envd\/[^/]*\/(filesystem\.|files$)/.test(asked.path);
  if (method.name === 'StreamInput') {
    judgeHelpers(world, inputSelector(arrived), isOfFiles);
    return;
  }
  const message = messageOf(arrived, method) as Record<string, unknown>;
  if (who.grant.strict && isOfFiles) {
    // Where the home is has nothing to do with the page.
    if (method.name === 'Stat' && message.path === '~') return;
    if (method.name === 'Start') judgeHelper(world, message as unknown as StartRequest, who);
    else judgeHelpers(world, message.process as ProcessSelector | undefined, isOfFiles);
    return;
  }
  const { path } = message as { path: string };
  switch (`${method.parent.typeName}/${method.name}`) {
    case 'process.Process/List':
    case 'filesystem.Filesystem/Stat':
      // The broker looks for itself, too; what comes of it for the page is judged by the answer.
      break;
    case 'process.Process/Start':
      takeOnce(who, asked);
      judgeStart(message as unknown as StartRequest, who);
      break;
    case 'process.Process/SendInput':
      takeOnce(who, asked);
      judgeProgram(world, message, who, 'type');
      break;
    case 'process.Process/Connect':
      judgeProgram(world, message, who, 'watch');
      break;
    case 'process.Process/Update':
    case 'process.Process/SendSignal':
    case 'process.Process/CloseStdin':
      judgeProgram(world, message, who, 'control');
      break;
    case 'filesystem.Filesystem/ListDir':
    case 'filesystem.Filesystem/WatchDir':
      judgePath(who, 'read', path, true);
      break;
    case 'filesystem.Filesystem/MakeDir':
    case 'filesystem.Filesystem/Remove':
      judgePath(who, 'write', path, false);
      break;
    case 'filesystem.Filesystem/Move': {
      const { source, destination } = message as { source: string; destination: string };
      // What is moved can be read where it arrives.
      judgePath(who, 'read', source, false);
      judgePath(who, 'write', source, false);
      judgePath(who, 'write', destination, false);
      break;
    }
    default:
      throw new Error('no procedure for a page');
  }
}

function takeOnce({ taken }: LawfulSession, { idempotencyKey }: Asked): void {
  if (idempotencyKey === null) return;
  if (taken.has(idempotencyKey)) throw new Error('it came before');
  taken.add(idempotencyKey);
}

/** The mark of a process is judged by what can be done with it: see {@link judgeProgram}. */
function judgeStart({ process, pty, tag, stdin }: StartRequest, who: LawfulSession): void {
  const { pty: ptyGrant, commands } = who.grant;
  if (!process?.cmd) throw new Error('no command');
  if (!tag || tag.includes('mine')) throw new Error(`the tag ${tag} is not the broker's`);
  if (pty) {
    if (ptyGrant !== 'write') throw new Error('a terminal');
    return;
  }
  if (commands === 'run') return;
  const { cmd, args, envs, cwd } = process;
  const [login, flag, line = ''] = args;
  const isShell = cmd === '/bin/bash' && args.length === 3 && login === '-l' && flag === '-c';
  const command = commandOf({ command: line, envs, ...(cwd !== undefined && { cwd }) });
  const granted = Array.isArray(commands) ? commands.filter((one) => commandOf(one) === command) : [];
  if (!isShell || granted.length === 0) throw new Error('not this command');
  // Absent is open to envd.
  if (stdin !== false && !granted.some(mayType)) throw new Error('its input is open');
  const place = locate(cwd ? cwd : home, true) ?? '/';
  const writable = who.grant.files?.find(({ op, prefix }) => op === 'write' && isOnOneWay(prefix, place));
  if (writable) throw new Error(`it is run from ${place}, below which the page may write`);
}

function judgeProgram(
  world: World,
  message: Record<string, unknown>,
  who: LawfulSession,
  use: ProgramUse,
): void {
  const { selector } = message.process as ProcessSelector;
  if (selector.case !== 'pid') throw new Error('not by its pid');
  const program = world.programs.find(
    ({ pid, sandboxId }) => pid === selector.value && sandboxId === who.sandboxId,
  );
  if (!program || !mayUseProgram(program, who, use)) throw new Error(`${use} of process ${selector.value}`);
}

/** A program of strict mode is the broker's to control, and only while it does what a page asks of files. */
function judgeHelpers(world: World, process: ProcessSelector | undefined, isOfFiles: boolean): void {
  const program = world.programs.find(({ pid }) => pid === process?.selector.value);
  if (!isOfFiles || program?.startedAs !== 'strict') throw new Error('envd would do it as root');
}

function inputSelector({ body }: Arrived): ProcessSelector | undefined {
  const [length] = [new DataView(body.buffer, body.byteOffset).getUint32(1)];
  const { event } = fromBinary(StreamInputRequestSchema, body.subarray(5, 5 + length));
  return event.case === 'start' ? event.value.process : undefined;
}

export type ProgramUse = 'watch' | 'control' | 'type';

/** Whether a program is the session's own user's, as the same Linux user, and is what the session could start itself. */
export function mayUseProgram(
  { owner, startedAs }: Program,
  { owner: whose, grant: { user, pty = 'none', commands = 'none' } }: LawfulSession,
  use: ProgramUse,
): boolean {
  if (owner?.subject !== whose || owner.user !== user) return false;
  if (startedAs === 'pty') return pty === 'write' || (pty === 'read' && use === 'watch');
  if (commands === 'run') return true;
  if (typeof startedAs === 'string' || commands === 'none') return false;
  return commands.some((one) => commandOf(one) === startedAs.command && (use !== 'type' || mayType(one)));
}
