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
 * Calls of services that the caller's own process serves: requests and responses go over as the objects they are, so
 * neither side may change one. Deadlines and errors are those of a channel.
 */
export function localChannel(methods: ReadonlyMap<string, ServedMethod>): GrpcChannel {
  function callOf({ path }: AnyMethod) {
    const served = methods.get(path);
    if (!served) throw new Error(`${path} is not served here`);
    return (request: unknown, { deadlineMs = defaultDeadlineMs }: CallOptions = {}) =>
      withDeadline(served.call(request).catch(rethrownForCallers), deadlineMs, late);
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

const late = (): never => {
  throw unreachable();
};

/** Faults stay behind: their words are for the log of whoever served the call. */
const rethrownForCallers = (error: unknown): never => {
  throw error instanceof GoChatError ? error : fault();
};
