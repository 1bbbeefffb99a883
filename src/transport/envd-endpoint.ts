/** Where a sandbox's envd is, and what it wants to be told. */

/** envd's port in every sandbox. */
export const envdPort = 49983;

/** E2B's own domain. */
export const defaultDomain = 'e2b.app';

/** What a domain of sandboxes looks like: it becomes part of a host name. */
export const domainPattern: RegExp = /^[a-z0-9-]+(\.[a-z0-9-]+)*(:\d{1,5})?$/;

export interface PortEndpointOptions {
  sandboxId: string;
  /** The sandbox's domain. Default `e2b.app`. */
  domain?: string | undefined;
  /** Takes the place of the address made of id and domain: a local server, or a proxy. It must have no path. */
  sandboxUrl?: string | undefined;
}

export interface EnvdEndpointOptions extends PortEndpointOptions {
  /** envd's own token, for sandboxes that have one: all made by API v2. */
  envdAccessToken?: string | undefined;
}

export interface EnvdEndpoint {
  baseUrl: string;
  headers: Record<string, string>;
}

/** The address of a sandbox's envd. */
export function envdEndpoint(options: EnvdEndpointOptions): EnvdEndpoint {
  const { envdAccessToken } = options;
  const { baseUrl, headers } = portEndpoint(options, envdPort);
  return { baseUrl, headers: envdAccessToken ? { ...headers, 'x-access-token': envdAccessToken } : headers };
}

/**
 * The address of a port of a sandbox. It is the direct host, which works from everywhere; the two routing headers make
 * the same request work where one address serves all sandboxes.
 */
export function portEndpoint(
  { sandboxId, domain, sandboxUrl }: PortEndpointOptions,
  port: number,
): EnvdEndpoint {
  return {
    baseUrl: sandboxUrl ? sandboxUrl.replace(/\/+$/, '') : `https://${sandboxHost(sandboxId, port, domain)}`,
    headers: { 'e2b-sandbox-id': sandboxId, 'e2b-sandbox-port': String(port) },
  };
}

/** The public host name of a port of a sandbox. */
export function sandboxHost(sandboxId: string, port: number, domain: string = defaultDomain): string {
  return `${port}-${sandboxId}.${domain}`;
}
