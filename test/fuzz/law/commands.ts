import type { ExactCommand } from '../../../src/wire/session.js';
import { plainPath } from './judge-path.js';

/** All that makes a command another one, in one form. */
export function commandOf(command: string | ExactCommand): string {
  const { command: line, cwd = '', envs = {} } = typeof command === 'string' ? { command } : command;
  const variables = Object.entries(envs).map(([name, value]) => `${name}=${value}`);
  return JSON.stringify([line, cwd === '' ? '' : plainPath(cwd), variables.sort()]);
}

/** Whether the page may write to its input. */
export function mayType(command: string | ExactCommand): boolean {
  return typeof command === 'object' && command.stdin === true;
}
