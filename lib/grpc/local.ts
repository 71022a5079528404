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
      within(deadlineMs, served.call(request));
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

function within<T>(deadlineMs: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const deadline = setTimeout(() => reject(unreachable()), deadlineMs);
    work
      .then(resolve, (error: unknown) => reject(asSeenByCallers(error)))
      .finally(() => clearTimeout(deadline));
  });
}

/** Faults stay behind: their words are for the log of whoever served the call. */
function asSeenByCallers(error: unknown): GoChatError {
  return error instanceof GoChatError ? error : fault();
}
