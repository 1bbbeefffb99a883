import { isIP } from 'node:net';
import { ApiError } from '../../http/replies.js';
import {
  type Fields,
  isAbsent,
  parseBoolean,
  parseList,
  parseObject,
  parseString,
  parseWhole,
} from './fields.js';
import { type NetworkRules, parseRules } from './network-rules.js';

/** Where a sandbox may connect to, as its creator said. Absent is what was not said. */
export interface EgressSettings {
  readonly allowInternetAccess?: boolean;
  readonly allowOut?: readonly string[];
  readonly denyOut?: readonly string[];
  readonly rules?: NetworkRules;
}

/** Who may connect to a sandbox's ports, and how. */
export interface IngressSettings {
  readonly allowPublicTraffic?: boolean;
  readonly maskRequestHost?: string;
  /** Ports whose services speak TLS themselves. */
  readonly httpsPorts?: readonly number[];
}

const allTraffic = '0.0.0.0/0';
/** Stands for the port that a request was for. */
const portPlaceholder = `\${PORT}`;

/** Whether a sandbox is to have a way out at all. Everything narrower is not enforced here. */
export function wantsInternet({ allowInternetAccess, allowOut = [], denyOut = [] }: EgressSettings): boolean {
  if (allowInternetAccess === false) return false;
  return !denyOut.includes(allTraffic) || allowOut.length > 0;
}

/** Whether more is asked for than to have the internet or not. */
export function hasFineRules({ allowOut = [], denyOut = [], rules = {} }: EgressSettings): boolean {
  return (
    allowOut.length > 0 || denyOut.some((entry) => entry !== allTraffic) || Object.keys(rules).length > 0
  );
}

/** Reads the outgoing half of `network`, or the body of `PUT /sandboxes/{id}/network`. */
export function parseEgress(network: Fields, allowInternetAccess: unknown, prefix: string): EgressSettings {
  if (!isAbsent(network.egressProxy)) {
    throw new ApiError(501, `the local server has no support for proxies: leave out '${prefix}egressProxy'`);
  }
  const internet = parseBoolean(allowInternetAccess, 'allow_internet_access');
  const allowOut = parseTexts(network.allowOut, `${prefix}allowOut`);
  const denyOut = parseTexts(network.denyOut, `${prefix}denyOut`);
  const rules = parseRules(network.rules, `${prefix}rules`);
  checkDestinations(allowOut ?? [], denyOut ?? []);
  return {
    ...(internet !== undefined && { allowInternetAccess: internet }),
    ...(allowOut && { allowOut }),
    ...(denyOut && { denyOut }),
    ...(rules && { rules }),
  };
}

/** Reads the incoming half of `network`. */
export function parseIngress(network: Fields): IngressSettings {
  const allowPublicTraffic = parseBoolean(network.allowPublicTraffic, 'network.allowPublicTraffic');
  const maskRequestHost = parseString(network.maskRequestHost, 'network.maskRequestHost');
  // A host that is checked here cannot break out of the header that it becomes.
  if (maskRequestHost !== undefined && !/^[\w.-]+(:\d{1,5})?$/.test(withPort(maskRequestHost))) {
    throw new ApiError(400, `mask request host is not valid: ${maskRequestHost}`);
  }
  const httpsPorts = parseList(network.httpsPorts, 'network.httpsPorts')?.map(parsePort);
  return {
    ...(allowPublicTraffic !== undefined && { allowPublicTraffic }),
    ...(maskRequestHost !== undefined && { maskRequestHost }),
    ...(httpsPorts && { httpsPorts }),
  };
}

export function parseNetwork(value: unknown): Fields {
  return isAbsent(value) ? {} : parseObject(value, 'network');
}

function withPort(host: string): string {
  return host.replaceAll(portPlaceholder, '0');
}

function parsePort(value: unknown): number {
  const port = parseWhole(value, 'network.httpsPorts must be whole numbers');
  if (port < 1 || port > 65_535) throw new ApiError(400, `network.httpsPorts: ${port} is no port`);
  return port;
}

function parseTexts(value: unknown, field: string): readonly string[] | undefined {
  const entries = parseList(value, field);
  for (const entry of entries ?? []) {
    if (typeof entry !== 'string') throw new ApiError(400, `${field} must be a list of strings`);
  }
  return entries as readonly string[] | undefined;
}

/** Upstream's rules: addresses are to be real ones; names are allowed only where all else is denied. */
function checkDestinations(allowOut: readonly string[], denyOut: readonly string[]): void {
  for (const entry of denyOut) {
    if (!isSpecified(entry)) throw new ApiError(400, `invalid denied CIDR ${entry}`);
  }
  for (const entry of allowOut) {
    if (isAddress(entry) && !isSpecified(entry)) throw new ApiError(400, `invalid allowed address ${entry}`);
  }
  if (allowOut.some((entry) => !isAddress(entry)) && !denyOut.includes(allTraffic)) {
    throw new ApiError(
      400,
      "When specifying allowed domains in allow out, you must include 'ALL_TRAFFIC' in deny out to block all other traffic.",
    );
  }
}

function isAddress(entry: string): boolean {
  const [address = '', prefix, ...more] = entry.split('/');
  const version = isIP(address);
  if (version === 0 || more.length > 0 || address.includes('%')) return false;
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128));
}

function isSpecified(entry: string): boolean {
  return entry === allTraffic || (isAddress(entry) && !/^[0:.]+(\/|$)/.test(entry));
}
