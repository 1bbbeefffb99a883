import type { MessageInit, Method, StreamMethod, UnaryMethod } from '../wire/codec/message-type.js';
import type { AuthorizedFetch } from './authorized-fetch.js';
import { callStream, callUnary, type RpcOptions, type RpcStreamOptions } from './rpc-call.js';

/** A function for each method of a service. */
export type RpcClient<Service> = {
  [Name in keyof Service]: Service[Name] extends Method<infer I, infer O, infer Kind>
    ? Kind extends 'unary'
      ? (request: MessageInit<I>, options?: RpcOptions) => Promise<O>
      : (request: MessageInit<I>, options?: RpcStreamOptions) => AsyncGenerator<O, void, undefined>
    : never;
};

type AnyMethod = UnaryMethod<unknown, unknown> | StreamMethod<unknown, unknown>;

/**
 * The functions of a service. They throw this package's errors, and whatever `fetch` throws. Each is made when
 * it is asked for, since there is a client for every call.
 */
export function createRpcClient<Service extends object>(
  service: Service,
  baseUrl: string,
  fetch: AuthorizedFetch,
): RpcClient<Service> {
  const functionOf = (method: AnyMethod) => {
    const call = method.kind === 'unary' ? callUnary : callStream;
    const target = { fetch, url: `${baseUrl}/${method.path}`, method };
    return (request: object, options: RpcOptions = {}) => call(target, request, options);
  };
  return new Proxy(service, {
    get: (methods, name) => functionOf(methods[name as keyof Service] as AnyMethod),
  }) as RpcClient<Service>;
}
