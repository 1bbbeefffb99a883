import { listedState } from './requests/list-query.js';
import type { Sandbox } from './sandbox.js';

/** The version of envd whose behaviour this server has. */
export const envdVersion = '0.6.13';

/** A constant since clients stopped having ids; still required. */
const clientId = '6532622b';

/** What create, connect, resume and fork answer. */
export function summaryOf(sandbox: Sandbox): Record<string, unknown> {
  const { envdAccessToken, trafficAccessToken } = sandbox.plan;
  return {
    ...identityOf(sandbox),
    ...(envdAccessToken !== undefined && { envdAccessToken }),
    ...(trafficAccessToken !== undefined && { trafficAccessToken }),
  };
}

/** An item of a list. The tokens are left out, as upstream: a list is seen by more eyes. */
export function listedOf(sandbox: Sandbox): Record<string, unknown> {
  const { size, metadata } = sandbox.plan;
  return {
    ...identityOf(sandbox),
    ...size,
    startedAt: new Date(sandbox.startedAt).toISOString(),
    endAt: new Date(sandbox.endAt).toISOString(),
    state: listedState(sandbox),
    metadata,
  };
}

/** Everything about one sandbox. */
export function detailOf(sandbox: Sandbox): Record<string, unknown> {
  const { envdAccessToken, ingress, lifecycle } = sandbox.plan;
  const { allowInternetAccess, ...egress } = sandbox.egress;
  const network = { ...ingress, ...egress };
  return {
    ...listedOf(sandbox),
    ...(envdAccessToken !== undefined && { envdAccessToken }),
    ...(allowInternetAccess !== undefined && { allowInternetAccess }),
    ...(Object.keys(network).length > 0 && { network }),
    lifecycle: { onTimeout: lifecycle.onTimeout, autoResume: lifecycle.autoResume },
  };
}

function identityOf({ id, templateId, plan: { alias } }: Sandbox): Record<string, unknown> {
  return {
    templateID: templateId,
    sandboxID: id,
    clientID: clientId,
    ...(alias !== undefined && { alias }),
    envdVersion,
  };
}
