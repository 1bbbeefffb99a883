import { validateHeaderName, validateHeaderValue } from 'node:http';
import { ApiError } from '../../http/replies.js';
import { isAbsent, parseList, parseObject, parseStrings } from './fields.js';

/** Headers that requests to a host are to be given on their way out. */
export type NetworkRules = Readonly<Record<string, readonly NetworkRule[]>>;

export interface NetworkRule {
  readonly transform?: { readonly headers?: Readonly<Record<string, string>> };
}

const mostDomains = 10;
const mostTransforms = 1;
const longestDomain = 128;
const mostHeaders = 20;
const longestName = 64;
const longestValue = 2048;

/** Reads `network.rules` with upstream's limits. */
export function parseRules(value: unknown, field: string): NetworkRules | undefined {
  if (isAbsent(value)) return undefined;
  const rules = Object.entries(parseObject(value, field));
  if (rules.length > mostDomains) {
    throw new ApiError(400, `Network rules can have at most ${mostDomains} domains.`);
  }
  return Object.fromEntries(rules.map(([domain, list]) => [domain, parseDomainRules(domain, list, field)]));
}

function parseDomainRules(domain: string, value: unknown, field: string): readonly NetworkRule[] {
  if (domain.length > longestDomain) {
    throw new ApiError(400, `Rule domain "${domain}" exceeds maximum length of ${longestDomain} characters.`);
  }
  if (
    !/^([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*\.?$/i.test(domain)
  ) {
    throw new ApiError(400, `Rule domain "${domain}" is not a valid domain name.`);
  }
  const list = parseList(value, `${field}.${domain}`) ?? [];
  if (list.length > mostTransforms) {
    throw new ApiError(400, `Domain "${domain}" can have at most ${mostTransforms} transform rule.`);
  }
  return list.map((rule) => parseRule(domain, rule, `${field}.${domain}`));
}

function parseRule(domain: string, value: unknown, field: string): NetworkRule {
  const { transform } = parseObject(value, field);
  if (isAbsent(transform)) return {};
  const { headers: given } = parseObject(transform, `${field}.transform`);
  if (isAbsent(given)) return { transform: {} };
  const headers = parseStrings(given, `${field}.transform.headers`);
  if (Object.keys(headers).length > mostHeaders) {
    throw new ApiError(400, `Domain "${domain}" can have at most ${mostHeaders} headers per rule.`);
  }
  for (const [name, text] of Object.entries(headers)) checkHeader(domain, name, text);
  return { transform: { headers } };
}

function checkHeader(domain: string, name: string, value: string): void {
  if (!passes(() => validateHeaderName(name))) {
    throw new ApiError(
      400,
      `Header name "${name}" in rule for domain "${domain}" must contain only valid HTTP token characters.`,
    );
  }
  if (name.length > longestName) {
    throw new ApiError(
      400,
      `Header name "${name}" in rule for domain "${domain}" exceeds maximum length of ${longestName} characters.`,
    );
  }
  if (!passes(() => validateHeaderValue(name, value))) {
    throw new ApiError(
      400,
      `Value for header "${name}" in rule for domain "${domain}" contains invalid characters.`,
    );
  }
  if (value.length > longestValue) {
    throw new ApiError(
      400,
      `Value for header "${name}" in rule for domain "${domain}" exceeds maximum length of ${longestValue} characters.`,
    );
  }
}

function passes(check: () => void): boolean {
  try {
    check();
    return true;
  } catch {
    return false;
  }
}
