import { InvalidArgumentError } from '../errors.js';
import { check, checkOptions, isObject, text } from '../transport/check-options.js';

/** `JWT-SVID`; the platform may come to know others. */
export type SandboxIamTokenType = 'JWT-SVID' | (string & {});

export interface SandboxIamToken {
  audience: string;
  tokenType: SandboxIamTokenType;
}

/** The tokens that a sandbox's requests may be given on their way out, by a name of your choice. At most five. */
export interface SandboxIamOptions {
  tokens?: Record<string, SandboxIamToken>;
}

/** The `iam` of a create; undefined where it names no token. */
export function iamBody(what: string, { tokens = {} }: SandboxIamOptions): SandboxIamOptions | undefined {
  check(`${what}: tokens`, tokens, ['an object of tokens, by name', isObject]);
  for (const [name, token] of Object.entries(tokens)) {
    checkTokenName(what, name);
    const subject = `${what}: tokens: ${name}`;
    checkOptions(subject, token, { audience: text, tokenType: text });
    check(`${subject}: audience`, token.audience, text);
    check(`${subject}: tokenType`, token.tokenType, text);
  }
  return Object.keys(tokens).length > 0 ? { tokens } : undefined;
}

/**
 * What stands for the tokens in the headers of a network rule: the platform puts a fresh token in its place, at each
 * request. A name that is not among the registered ones would go out as it is, so reading it throws.
 * @param registered undefined where they are not known: then any name will do.
 */
export function tokenPlaceholders(
  what: string,
  registered: readonly string[] | undefined,
): Record<string, string> {
  return new Proxy<Record<string, string>>(
    {},
    {
      get: (_target, name) => {
        if (typeof name === 'symbol') return undefined;
        checkTokenName(what, name);
        if (registered && !registered.includes(name)) {
          throw new InvalidArgumentError(`${what}: there is no token "${name}": register it in iam.tokens.`);
        }
        return `\${e2b.identity.tokens.${name}}`;
      },
    },
  );
}

function checkTokenName(what: string, name: string): void {
  if (name === '' || /[{}\x00-\x1f\x7f]/.test(name)) {
    throw new InvalidArgumentError(
      `${what}: ${JSON.stringify(name)} cannot be a token's name: it is empty, or has braces or control characters.`,
    );
  }
}
