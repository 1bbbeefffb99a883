import { sameSecret } from '../http/signature.js';
import type { Sandbox } from './sandbox.js';

/** The port that envd has in every sandbox. */
export const envdPort = 49983;

/** A request for a sandbox, as far as it can wake one. */
export interface Knock {
  readonly port: number;
  /** Its `X-Access-Token`. */
  readonly envdAccessToken?: string | undefined;
  /** Its `e2b-traffic-access-token`. */
  readonly trafficAccessToken?: string | undefined;
}

/** Whether a request has what it needs to wake a sandbox that may be woken. */
export function mayWake(sandbox: Sandbox, { port, envdAccessToken, trafficAccessToken }: Knock): boolean {
  const isForEnvd = port === envdPort;
  const needed = isForEnvd ? sandbox.envdAccessToken : sandbox.trafficAccessToken;
  if (needed === undefined) return true;
  return sameSecret((isForEnvd ? envdAccessToken : trafficAccessToken) ?? '', needed);
}
