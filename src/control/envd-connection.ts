import { Connection } from '../transport/connection.js';
import { fixedCredential } from '../transport/credential.js';
import { envdEndpoint, envdPort } from '../transport/envd-endpoint.js';
import type { ConnectionConfig } from './config.js';
import type { SandboxRecord } from './records.js';

/** Reaches a sandbox's envd with what the control plane said of it. */
export function envdConnection(record: SandboxRecord, config: ConnectionConfig): Connection {
  const { baseUrl, headers } = envdEndpoint({
    sandboxId: record.sandboxID,
    domain: record.domain || config.domain,
    sandboxUrl: config.sandboxUrl ?? (config.debug ? `http://localhost:${envdPort}` : undefined),
    envdAccessToken: record.envdAccessToken,
  });
  return new Connection({
    sandboxId: record.sandboxID,
    envdVersion: record.envdVersion,
    baseUrl,
    credential: fixedCredential(headers),
    client: config.client,
    streamingUploads: config.streamingUploads,
  });
}
