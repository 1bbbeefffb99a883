/** What the programs say of results that differ from run to run, and of errors. */

import {
  AuthenticationError,
  CommandExitError,
  FileNotFoundError,
  GitAuthError,
  GitUpstreamError,
  InvalidArgumentError,
  NotEnoughSpaceError,
  NotFoundError,
  RateLimitError,
  SandboxError,
  SandboxNotFoundError,
  ServiceBusyError,
  TemplateError,
  TimeoutError,
} from 'e2b';

const classes = {
  AuthenticationError,
  CommandExitError,
  FileNotFoundError,
  GitAuthError,
  GitUpstreamError,
  InvalidArgumentError,
  NotEnoughSpaceError,
  NotFoundError,
  RateLimitError,
  SandboxError,
  SandboxNotFoundError,
  ServiceBusyError,
  TemplateError,
  TimeoutError,
};

/** The name of what a call fails with, and all classes that it is an instance of: what a program can branch on. */
export async function failure(work: Promise<unknown> | (() => unknown)): Promise<string> {
  try {
    await (typeof work === 'function' ? work() : work);
    return 'no error';
  } catch (error) {
    const kinds = Object.entries(classes).filter(([, kind]) => error instanceof kind);
    return `${(error as Error).name} [${kinds.map(([name]) => name).join(', ')}]`;
  }
}

/** The type of each property, where the value is another one each time. */
export function shape(value: object): string {
  const kind = (one: unknown): string =>
    one instanceof Date ? 'Date' : Array.isArray(one) ? 'array' : one === null ? 'null' : typeof one;
  const known = Object.entries(value).filter(([, one]) => one !== undefined);
  return known
    .map(([name, one]) => `${name}: ${kind(one)}`)
    .sort()
    .join(', ');
}

/** As JSON, whatever the order of the properties, and whether absent ones are there as `undefined`. */
export function plain(value: unknown): string {
  return JSON.stringify(value, (_name, one: unknown) =>
    one !== null && typeof one === 'object' && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)))
      : one,
  );
}

/** Waits for a condition, for ten seconds at most. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 30_000; !(await holds()); ) {
    if (Date.now() > end) throw new Error('waited for half a minute');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
