import { type Command, parse, UsageError } from './command.js';

/** What `exec` and `shell` are told about the program they start. */
export interface ProgramOptions {
  /** The sandbox; a new one when absent. */
  readonly id?: string;
  /** Of the new one. */
  readonly template?: string;
  readonly start: { readonly user?: string; readonly cwd?: string; readonly envs: Record<string, string> };
  readonly json: boolean;
}

const options = {
  template: { type: 'string' },
  user: { type: 'string' },
  cwd: { type: 'string' },
  env: { type: 'string', multiple: true },
  json: { type: 'boolean' },
} as const;

/** The part of the help that both have. */
export const programOptionsHelp: Command['help'] = `  --template NAME   of the sandbox that is created (default base)
  --user NAME       the Linux user (default: the template's)
  --cwd DIR         the working directory (default: the template's)
  --env NAME=VALUE  a variable for the program; may be repeated`;

export function parseProgramOptions(args: readonly string[]): ProgramOptions {
  const { values, positionals } = parse({ args: [...args], options, allowPositionals: true });
  const [id, extra] = positionals;
  if (extra !== undefined) throw new UsageError(`unexpected argument '${extra}': a program stands behind --`);
  const { template, user, cwd, env = [], json = false } = values;
  if (id !== undefined && template !== undefined)
    throw new UsageError('--template is for a new sandbox; leave out the id');
  return {
    ...(id !== undefined && { id }),
    ...(template !== undefined && { template }),
    start: { ...(user !== undefined && { user }), ...(cwd !== undefined && { cwd }), envs: envsOf(env) },
    json,
  };
}

function envsOf(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw new UsageError(`--env must be NAME=VALUE, not '${pair}'`);
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}
