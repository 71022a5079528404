import { withDeadline } from '../async/deadline.ts';
import { fault, GoChatError } from '../errors.ts';
import {
  type AnyMethod,
  type CallOptions,
  defaultDeadlineMs,
  type Encoded,
  type GrpcChannel,
  isEncoded,
  unreachable,
} from './definition.ts';
import type { ServedMethod } from './together-server.ts';

/**
 * A channel to services in the caller's own process. Requests and responses are passed as objects without copying, so
 * neither side may change them. Deadlines and errors are the same as those of a remote channel.
 */
export function localChannel(methods: ReadonlyMap<string, ServedMethod>): GrpcChannel {
  function callOf({ path }: AnyMethod) {
    const served = methods.get(path);
    if (!served) throw new Error(`${path} is not served here`);
    return (request: unknown, { deadlineMs = defaultDeadlineMs }: CallOptions = {}) =>
      withDeadline(served.call(request).catch(hideFault), deadlineMs, throwUnreachable);
  }
  return {
    unary: (method) => {
      const call = callOf(method);
      return async (request, options) => {
        const response = await call(request, options);
        if (!isEncoded(response)) return response;
        return response.as ?? method.responseDeserialize(response.encoded);
      };
    },
    encoded: (method) => {
      const call = callOf(method);
      return async (request, options): Promise<Encoded<unknown>> => {
        const response = await call(request, options);
        return isEncoded(response) ? response : { encoded: method.responseSerialize(response), as: response };
      };
    },
    remote: false,
    ready: async () => true,
    close: () => {},
  };
}

const throwUnreachable = (): never => {
  throw unreachable();
};

/** Replaces a fault by a plain INTERNAL_ERROR, as gRPC does: the serving side has logged its details. */
const hideFault = (error: unknown): never => {
  throw error instanceof GoChatError ? error : fault();
};
