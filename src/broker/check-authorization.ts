/** Makes sure that an application's answer can be used: types are no promise where it comes from a database. */

import {
  check,
  checkOptions,
  flag,
  isObject,
  oneOf,
  type Rule,
  type Rules,
  text,
  textMap,
} from '../transport/check-options.js';
import { lifetime } from '../transport/lifetime.js';
import type { Authorization, NewSandbox, SandboxLife } from './authorization.js';
import { type FullGrant, parseGrant } from './grant.js';
import { misconfigured } from './refusals.js';
import { sandboxIdPattern } from './routes.js';
import { isReservedKey } from './sandbox-mark.js';

/** An authorization with nothing left open in its grants. */
export interface CheckedAuthorization extends Omit<Authorization, 'grants' | 'invite'> {
  grants: FullGrant;
  invite?: FullGrant;
}

const maxSubjectLength = 256;

/** A name that ends up in a token, in the metadata of a sandbox and in the log. */
const subjectName: Rule = [
  `a string of 1 to ${maxSubjectLength} characters`,
  (value) => text[1](value) && (value as string).length <= maxSubjectLength,
];
const grantObject: Rule = ['an object', isObject];
const lifeRules: Rules<SandboxLife> = {
  timeoutMs: lifetime,
  keepAlive: flag,
  endWithSession: flag,
};
const namedRules: Rules<{ id: string } & SandboxLife> = {
  ...lifeRules,
  id: ['the id of a sandbox', (value) => typeof value === 'string' && sandboxIdPattern.test(value)],
};
const newRules: Rules<NewSandbox & SandboxLife> = {
  ...lifeRules,
  template: text,
  metadata: [
    'an object whose values are strings, without a key that begins with "e2bEdge" or "e2b-edge"',
    (value) => textMap[1](value) && !Object.keys(value).some(isReservedKey),
  ],
  envs: textMap,
  reuse: ['true, false or a name of 1 to 64 characters', isReuse],
  onTimeout: oneOf('kill', 'pause'),
};
const rules: Rules<Authorization> = {
  subject: subjectName,
  sandbox: ['an object with a template or an id', isObject],
  grants: grantObject,
  processesOf: subjectName,
  invite: grantObject,
  dangerouslyAllowDirect: flag,
};

/** @throws code `broker_misconfigured`, with what is wrong as its cause: that is for the log alone. */
export function checkAuthorization(answer: Authorization): CheckedAuthorization {
  try {
    const what = 'authorize';
    checkFields(what, answer, rules, ['subject', 'sandbox', 'grants']);
    const { sandbox } = answer;
    if ('id' in sandbox) checkFields(`${what}: sandbox`, sandbox, namedRules, ['id']);
    else checkFields(`${what}: sandbox`, sandbox, newRules, ['template']);
    const { grants: given, invite: passed, ...rest } = answer;
    const grants = parseGrant(given);
    if (passed === undefined) return { ...rest, grants };
    const invite = parseGrant(passed);
    check(`${what}: invite.user`, invite.user ?? grants.user, [
      'that of `grants`: a guest is in the same terminals',
      (value) => value === grants.user,
    ]);
    return { ...rest, grants, invite };
  } catch (error) {
    throw misconfigured("The application's `authorize` gave an answer that cannot be used", error);
  }
}

/** A field that is misspelt would take what it forbids along with it, so none is let be. */
function checkFields<T extends object>(
  what: string,
  value: T,
  known: Rules<T>,
  required: readonly (keyof T & string)[],
): void {
  checkOptions(what, value, known);
  for (const name of required) check(`${what}: ${name}`, value[name], known[name]);
  const unknown = Object.keys(value).find((name) => !(name in known));
  if (unknown !== undefined)
    check(`${what}: ${unknown}`, value[unknown as keyof T], [
      'left out: there is no such field',
      () => false,
    ]);
}

function isReuse(value: unknown): boolean {
  return typeof value === 'boolean' || (typeof value === 'string' && value !== '' && value.length <= 64);
}
