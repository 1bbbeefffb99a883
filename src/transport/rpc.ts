import { type Client, Code, ConnectError, createClient } from '@connectrpc/connect';

import {
  AuthenticationError,
  type E2BEdgeError,
  type E2BEdgeErrorOptions,
  InvalidArgumentError,
  isE2BEdgeError,
  NotFoundError,
  PermissionDeniedError,
  RateLimitError,
  SandboxError,
  TimeoutError,
} from '../errors.js';
import { Filesystem } from '../wire/gen/filesystem/filesystem_pb.js';
import { Process } from '../wire/gen/process/process_pb.js';
import type { AuthorizedFetch } from './authorized-fetch.js';
import { createBinaryTransport } from './binary-transport.js';
import { connectionLost } from './http-error.js';

/** The RPC clients of one sandbox's envd. */
export interface Rpc {
  process: Client<typeof Process>;
  filesystem: Client<typeof Filesystem>;
}

/**
 * Makes the RPC clients. They speak the binary codec: the JSON codec of the official SDK spends a third more bytes
 * and several times the processor on all output and input.
 */
export function createRpc(baseUrl: string, fetch: AuthorizedFetch): Rpc {
  const transport = createBinaryTransport(baseUrl, fetch);
  return { process: createClient(Process, transport), filesystem: createClient(Filesystem, transport) };
}

/** Makes an error of whatever an RPC call threw. */
export function rpcError(error: unknown): Error {
  if (isE2BEdgeError(error)) return error;
  if (!(error instanceof ConnectError)) return connectionLost(error);
  // What `AuthorizedFetch` threw comes back wrapped.
  if (isE2BEdgeError(error.cause)) return error.cause;
  // A body that broke off, or ended without the frame that says that it is whole.
  if (error.cause !== undefined) return connectionLost(error);
  return errorOfCode(error);
}

function errorOfCode(error: ConnectError): E2BEdgeError {
  const message = error.rawMessage;
  const options: E2BEdgeErrorOptions = { cause: error };
  switch (error.code) {
    case Code.InvalidArgument:
      return new InvalidArgumentError(message, options);
    case Code.Unauthenticated:
      return new AuthenticationError(message, options);
    case Code.PermissionDenied:
      return new PermissionDeniedError(message, options);
    case Code.NotFound:
      return new NotFoundError(message, options);
    case Code.ResourceExhausted:
      return new RateLimitError(message, options);
    case Code.DeadlineExceeded:
      return new TimeoutError('The time given by timeoutMs is over.', {
        ...options,
        code: 'command_timeout',
      });
    case Code.Unavailable:
    case Code.Canceled:
      return connectionLost(error);
    default:
      return new SandboxError(`${error.code}: ${message}`, {
        ...options,
        code: Code[error.code]?.replace(/\B[A-Z]/g, '_$&').toLowerCase() ?? 'sandbox_error',
      });
  }
}
