import { ApiError } from '../../http/replies.js';

/** The team that everything of a local server belongs to. */
export const localTeam = 'local';

export const defaultTag = 'default';

/** `team/alias:tag`, taken apart. */
export interface TemplateName {
  readonly team?: string;
  readonly alias: string;
  readonly tag?: string;
}

/** Reads a reference to a template or a snapshot, in whatever case. `undefined` for what is none. */
export function parseTemplateName(text: string): TemplateName | undefined {
  const match = /^(?:([a-z0-9_-]+)\/)?([a-z0-9_-]+)(?::([a-z0-9_.-]+))?$/.exec(text.trim().toLowerCase());
  if (!match) return undefined;
  const [, team, alias = '', tag] = match;
  return { alias, ...(team !== undefined && { team }), ...(tag !== undefined && { tag }) };
}

/** The same for what a client sent: 400 for what is no name. */
export function requireTemplateName(text: string, what: string): TemplateName {
  const name = parseTemplateName(text);
  if (!name) {
    throw new ApiError(
      400,
      `Invalid ${what}: '${text}' is not of the form alias, team/alias or alias:tag (letters, digits, - and _)`,
    );
  }
  return name;
}

/** Refuses to name something for a team that is not here. */
export function requireLocalTeam({ team = localTeam }: TemplateName): void {
  if (team !== localTeam) throw new ApiError(400, `namespace '${team}' must match your team '${localTeam}'`);
}
