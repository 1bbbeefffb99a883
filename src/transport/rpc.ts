import { Filesystem } from '../wire/messages/filesystem.js';
import { Process } from '../wire/messages/process.js';
import type { AuthorizedFetch } from './authorized-fetch.js';
import { createRpcClient, type RpcClient } from './rpc-client.js';

/** The RPC clients of one sandbox's envd. */
export interface Rpc {
  process: RpcClient<typeof Process>;
  filesystem: RpcClient<typeof Filesystem>;
}

/**
 * Makes the RPC clients. They speak the binary codec: the JSON codec of the official SDK spends a third more bytes
 * and several times the processor on all output and input.
 */
export function createRpc(baseUrl: string, fetch: AuthorizedFetch): Rpc {
  return {
    process: createRpcClient(Process, baseUrl, fetch),
    filesystem: createRpcClient(Filesystem, baseUrl, fetch),
  };
}
