import type { Channel, PtyCreate } from '../channel/channel.js';
import type { DurableStatus } from '../channel/durable/durable-status.js';
import { InvalidArgumentError } from '../errors.js';
import type { CallOptions } from '../transport/call-options.js';
import { callRules, isObject, type Rule, type Rules } from '../transport/check-options.js';
import { type CommandConnectOptions, type CommandStartOptions, connectRules } from './command-options.js';
import type { DurableCommand } from './durable-command.js';
import type { KillOptions } from './kill-options.js';
import type { OutputBytes } from './output-log.js';
import { linuxUser } from './process-rules.js';

export interface CommandAttachOptions extends CommandConnectOptions {
  /** From where on to read, in bytes of each. Default: from the beginning. `offsets` of a handle says how far it read. */
  from?: Partial<OutputBytes>;
  /** The Linux user that the command was started as. Default: the template's. */
  user?: string;
}

export interface DurableListOptions extends CallOptions {
  /** The Linux user whose commands are looked for. Default: the template's. */
  user?: string;
}

/** A durable command, running or ended. */
export type DurableInfo = Omit<DurableStatus, 'full' | 'kind'>;

/** A durable terminal. */
export type DurableTerminalInfo = Omit<DurableInfo, 'command'>;

/** A durable terminal, as its handle needs it. */
export interface DurableTerminal {
  channel: Channel;
  kill(options?: KillOptions): Promise<boolean>;
}

/** What a sandbox that was taken up with an API key can do beside. */
export interface DurableCommands {
  start(command: string, options: CommandStartOptions): Promise<DurableCommand>;
  attach(id: string, options: CommandAttachOptions): Promise<DurableCommand>;
  list(options: DurableListOptions): Promise<DurableInfo[]>;
  createTerminal(
    create: PtyCreate & { maxLogBytes?: number | undefined },
    options: CallOptions,
  ): Promise<DurableTerminal>;
  openTerminal(id: string, options: DurableListOptions): Promise<DurableTerminal>;
  listTerminals(options: DurableListOptions): Promise<DurableTerminalInfo[]>;
}

const offsets: Rule = [
  'an object of whole numbers from 0 on, stdout and stderr',
  (value) =>
    isObject(value) &&
    Object.entries(value).every(
      ([name, at]) => /^std(out|err)$/.test(name) && Number.isSafeInteger(at) && (at as number) >= 0,
    ),
];

/** As one is made: it is part of a path. */
export const durableId: Rule = [
  'the durableId of a command',
  (value) => typeof value === 'string' && /^[\w-]{1,64}$/.test(value),
];

export const attachRules: Rules<CommandAttachOptions> = { ...connectRules, from: offsets, user: linuxUser };

export const listRules: Rules<DurableListOptions> = { ...callRules, user: linuxUser };

/** @throws {InvalidArgumentError} code `durable_needs_key`. */
export function durableNeedsKey(what: string): never {
  throw new InvalidArgumentError(`${what} needs a sandbox that was taken up with an API key.`, {
    code: 'durable_needs_key',
  });
}
