/** What a sandbox may connect to, and who may connect to it. The names are the official package's. */

/** `denyOut: [ALL_TRAFFIC]` lets nothing out but what `allowOut` names. */
export const ALL_TRAFFIC = '0.0.0.0/0';

/** A change to requests on their way out. */
export interface SandboxNetworkTransform {
  /** Set on the request, in the place of what it has. At most 20; names up to 64 and values up to 2048 characters. */
  headers?: Record<string, string>;
}

/** What a `transform` function is given: texts that the platform replaces, so that no secret passes through here. */
export interface SandboxNetworkTransformContext {
  iam: {
    /** For each token of `iam.tokens`, by its name. */
    tokens: Record<string, string>;
  };
}

export type SandboxNetworkTransformResolver = (
  context: SandboxNetworkTransformContext,
) => SandboxNetworkTransform;

export interface SandboxNetworkRule {
  transform?: SandboxNetworkTransform | SandboxNetworkTransformResolver;
}

/** Rules by host: at most ten hosts, one rule each. A host that has rules must be in `allowOut` besides. */
export type SandboxNetworkRules = Record<string, SandboxNetworkRule[]> | Map<string, SandboxNetworkRule[]>;

export interface SandboxNetworkRuleInfo {
  transform?: SandboxNetworkTransform;
}

export interface SandboxNetworkSelectorContext {
  /** `ALL_TRAFFIC`. */
  allTraffic: string;
  rules: Map<string, SandboxNetworkRule[]>;
}

/** Addresses, CIDR blocks and, in `allowOut`, host names; or a function that gives them. */
export type SandboxNetworkSelector = string[] | ((context: SandboxNetworkSelectorContext) => string[]);

/** A SOCKS5 proxy that the sandbox's TCP connections go through. The open-source deployment refuses it. */
export interface SandboxEgressProxyOptions {
  /** `host:port`. */
  address: string;
  username?: string;
  /** Only with a `username`. */
  password?: string;
}

export interface SandboxEgressProxyInfo {
  address: string;
  username?: string;
}

interface EgressOptions {
  /** What may be connected to. Host names only beside `denyOut: [ALL_TRAFFIC]`. Default: everything. */
  allowOut?: SandboxNetworkSelector;
  /** What may not; `allowOut` goes before it. */
  denyOut?: SandboxNetworkSelector;
  /** Needs envd 0.5.13. */
  rules?: SandboxNetworkRules;
  egressProxy?: SandboxEgressProxyOptions;
}

export interface SandboxNetworkOptions extends EgressOptions {
  /**
   * False: requests to the sandbox's ports must carry `e2b-traffic-access-token` with `sandbox.trafficAccessToken`.
   * Default true.
   */
  allowPublicTraffic?: boolean;
  /** The `Host` that services in the sandbox see; `${PORT}` stands for the port. */
  maskRequestHost?: string;
  /** Ports whose services speak TLS themselves, with any certificate. */
  httpsPorts?: number[];
}

/** Takes the place of all settings for what goes out: what is left out is cleared. */
export interface SandboxNetworkUpdate extends EgressOptions {
  allowInternetAccess?: boolean;
}

/** A sandbox's network settings, as `getInfo` tells them. */
export interface SandboxNetworkInfo {
  allowOut?: string[];
  denyOut?: string[];
  rules?: Record<string, SandboxNetworkRuleInfo[]>;
  egressProxy?: SandboxEgressProxyInfo;
  allowPublicTraffic?: boolean;
  maskRequestHost?: string;
  httpsPorts?: number[];
}
