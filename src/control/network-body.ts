import { InvalidArgumentError } from '../errors.js';
import {
  callback,
  check,
  checkOptions,
  flag,
  isObject,
  object,
  type Rule,
  type Rules,
  text,
  textMap,
  whole,
} from '../transport/check-options.js';
import { tokenPlaceholders } from './iam.js';
import {
  ALL_TRAFFIC,
  type SandboxEgressProxyOptions,
  type SandboxNetworkOptions,
  type SandboxNetworkRule,
  type SandboxNetworkRules,
  type SandboxNetworkSelector,
  type SandboxNetworkTransform,
  type SandboxNetworkUpdate,
} from './network-options.js';

const texts: Rule = [
  'a list of strings that are not empty',
  (value: unknown) => Array.isArray(value) && value.every(text[1] as (entry: unknown) => boolean),
];
const selector: Rule = [
  'a list of addresses, or a function that gives one',
  (value) => texts[1](value) || callback[1](value),
];
const port = whole(1, 65_535);
const ports: Rule = [
  'a list of ports from 1 to 65535',
  (value) => Array.isArray(value) && (value as never[]).every(port[1]),
];

const egressRules: Rules<Pick<SandboxNetworkUpdate, 'allowOut' | 'denyOut' | 'rules' | 'egressProxy'>> = {
  allowOut: selector,
  denyOut: selector,
  rules: ['an object or a Map of lists of rules, by host', isObject],
  egressProxy: object,
};
const networkRules: Rules<SandboxNetworkOptions> = {
  ...egressRules,
  allowPublicTraffic: flag,
  maskRequestHost: text,
  httpsPorts: ports,
};
/** An update that meant one of these would clear all the others. */
const atCreateOnly: Rule = ['left out: only Sandbox.create can set it', () => false];
const updateRules: Rules<SandboxNetworkUpdate & SandboxNetworkOptions> = {
  ...egressRules,
  allowInternetAccess: flag,
  allowPublicTraffic: atCreateOnly,
  maskRequestHost: atCreateOnly,
  httpsPorts: atCreateOnly,
};
const proxyRules: Rules<SandboxEgressProxyOptions> = { address: text, username: text, password: text };

/**
 * The `network` of a create.
 * @param tokens the names in `iam.tokens`.
 */
export function networkBody(
  what: string,
  network: SandboxNetworkOptions,
  tokens: readonly string[],
): Record<string, unknown> {
  checkOptions(what, network, networkRules);
  const { allowPublicTraffic, maskRequestHost, httpsPorts } = network;
  return { ...egressBody(what, network, tokens), allowPublicTraffic, maskRequestHost, httpsPorts };
}

/** The body of a network update. What tokens the sandbox has is not known here, so any name will do. */
export function networkUpdateBody(what: string, network: SandboxNetworkUpdate): Record<string, unknown> {
  checkOptions(what, network, updateRules);
  return { ...egressBody(what, network), allow_internet_access: network.allowInternetAccess };
}

function egressBody(
  what: string,
  { allowOut, denyOut, rules: given, egressProxy }: SandboxNetworkUpdate,
  tokens?: readonly string[],
): Record<string, unknown> {
  const rules = new Map<string, SandboxNetworkRule[]>(
    given instanceof Map ? given : Object.entries(given ?? {}),
  );
  return {
    allowOut: destinations(`${what}: allowOut`, allowOut, rules),
    denyOut: destinations(`${what}: denyOut`, denyOut, rules),
    rules: given && rulesBody(`${what}: rules`, rules, tokens),
    egressProxy: egressProxy && proxyBody(`${what}: egressProxy`, egressProxy),
  };
}

function destinations(
  name: string,
  given: SandboxNetworkSelector | undefined,
  rules: Map<string, SandboxNetworkRule[]>,
): string[] | undefined {
  if (typeof given !== 'function') return given;
  const list = given({ allTraffic: ALL_TRAFFIC, rules });
  check(`${name}: what the function gave`, list, texts);
  return list;
}

function rulesBody(
  what: string,
  rules: Exclude<SandboxNetworkRules, Record<string, unknown>>,
  tokens: readonly string[] | undefined,
): Record<string, unknown> {
  const body: Record<string, unknown> = {};
  for (const [host, list] of rules) {
    const name = `${what}: ${host}`;
    check(name, list, ['a list of rules', Array.isArray]);
    body[host] = list.map((rule) => ruleBody(name, rule, tokens));
  }
  return body;
}

function ruleBody(
  name: string,
  rule: SandboxNetworkRule,
  tokens: readonly string[] | undefined,
): { transform?: SandboxNetworkTransform } {
  checkOptions(name, rule, {
    transform: ['an object or a function', (value) => isObject(value) || callback[1](value)],
  });
  const { transform } = rule;
  if (transform === undefined) return {};
  const made =
    typeof transform === 'function'
      ? transform({ iam: { tokens: tokenPlaceholders(name, tokens) } })
      : transform;
  check(`${name}: what transform gave`, made, [
    'an object, and not a promise',
    (value) => isObject(value) && !('then' in (value as object)),
  ]);
  checkOptions<SandboxNetworkTransform>(`${name}: transform`, made, { headers: textMap });
  return { transform: made };
}

function proxyBody(what: string, proxy: SandboxEgressProxyOptions): SandboxEgressProxyOptions {
  checkOptions(what, proxy, proxyRules);
  check(`${what}: address`, proxy.address, text);
  if (proxy.password !== undefined && proxy.username === undefined) {
    throw new InvalidArgumentError(`${what}: a password needs a username.`);
  }
  return proxy;
}
