// Room: gRPC between services: servers, clients, deadlines, errors, the shared token. Nothing in this room knows what
// a particular method does.

import { fileURLToPath } from 'node:url';
import {
  Server,
  ServerCredentials,
  type sendUnaryData,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { HealthImplementation } from 'grpc-health-check';
import { codeOf, GoChatError, isFault } from '../errors.ts';
import { type CallTogetherRequest, TogetherServiceService } from '../gen/gochat_rpc/v1/together.ts';
import type { Logger } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import {
  type AnyMethod,
  type GrpcChannel,
  isEncoded,
  type ServedHandlers,
  type ServiceDefinition,
} from './definition.ts';
import { createGuard } from './guard.ts';
import { localChannel } from './local.ts';
import { toServiceError } from './service-error.ts';
import { receiving, type StreamHandler, sending } from './stream-server.ts';
import { answerTogether, type Handler, type ServedMethod } from './together-server.ts';
import type { GrpcToken } from './token.ts';

/** Largest message that servers and clients accept, in bytes. */
export const maxMessageBytes = 4 * 1024 * 1024;

type Registration = { name: string; definition: ServiceDefinition; handlers: object };

/** Pairs a generated service definition with its handlers. `name` is the full proto name of the service. */
export function service<D extends ServiceDefinition>(
  name: string,
  definition: D,
  handlers: ServedHandlers<D>,
): Registration {
  const methods = Object.entries(definition).map(([key, method]) => [key, acceptingEncoded(method)]);
  return { name, definition: Object.fromEntries(methods), handlers };
}

const acceptingEncoded = (method: AnyMethod): AnyMethod => ({
  ...method,
  responseSerialize: (response: unknown) =>
    isEncoded(response) ? response.encoded : method.responseSerialize(response),
});

export type GrpcServer = {
  port: number;
  /** A channel for callers in this process. */
  local: GrpcChannel;
  drain(): void;
  close(): Promise<void>;
};

/**
 * Starts a gRPC server with health checking and reflection. If a handler throws a GoChatError, the call answers the
 * matching status with the code in the metadata. Any other error is logged and answers INTERNAL_ERROR.
 */
export async function serveGrpc(options: {
  host: string;
  port: number;
  services: Registration[];
  /** Paths of the proto files for reflection, relative to proto/. */
  protoFiles: string[];
  /** Required in every call, except for health checks, reflection, and calls from within the process. */
  token?: GrpcToken | undefined;
  log: Logger;
  metrics: Metrics;
}): Promise<GrpcServer> {
  const { log, metrics } = options;
  const duration = metrics.latency('gochat_grpc_server_duration_seconds', 'Time to answer a gRPC call.', [
    'method',
    'code',
  ]);
  const server = new Server({
    'grpc.max_receive_message_length': maxMessageBytes,
    'grpc.max_send_message_length': maxMessageBytes * 4,
  });

  const guard = createGuard(server, options.token, log);

  const calls = new Map<string, ServedMethod>();
  for (const { definition, handlers } of options.services) {
    const implementation: UntypedServiceImplementation = {};
    for (const [key, method] of Object.entries(definition)) {
      // biome-ignore lint/suspicious/noExplicitAny: the kinds of methods have different handlers.
      const handler = (handlers as Record<string, any>)[key];
      if (!handler) throw new Error(`no handler for ${method.path}`);
      if (method.requestStream || method.responseStream) {
        implementation[key] = streaming(method, handler);
        continue;
      }
      const call = measured(method.path, handler);
      calls.set(method.path, { method, call });
      implementation[key] = (unary: { request: unknown }, reply: sendUnaryData<unknown>) => {
        call(unary.request).then(
          (response) => reply(null, response),
          (error: unknown) => reply(toServiceError(error)),
        );
      };
    }
    guard.addService(definition, implementation);
  }
  const together = answerTogether(calls);
  guard.addService(
    { callTogether: acceptingEncoded(TogetherServiceService.callTogether) },
    {
      callTogether: (unary: { request: CallTogetherRequest }, reply: sendUnaryData<unknown>) => {
        together(unary.request).then(
          (response) => reply(null, response),
          (error: unknown) => reply(toServiceError(error)),
        );
      },
    },
  );

  function streaming(method: AnyMethod, handler: StreamHandler): UntypedServiceImplementation[string] {
    const run = measured(method.path, (handle: unknown) => (handle as () => Promise<unknown>)());
    const serve = method.requestStream ? receiving(handler, run) : sending(handler, run);
    // The library's type for any kind of method is that of a call with two streams.
    return serve as UntypedServiceImplementation[string];
  }

  /** Wraps a handler: measures its time and logs its faults. */
  function measured(path: string, handler: Handler): Handler {
    // Async, so that a handler that throws synchronously rejects the call instead of crashing the process.
    return async (request) => {
      const end = duration.startTimer({ method: path });
      try {
        const response = await handler(request);
        end({ code: 'OK' });
        return response;
      } catch (error) {
        end({ code: codeOf(error) });
        if (isFault(error)) log.error({ err: error, method: path }, 'call failed');
        throw error;
      }
    };
  }

  const health = new HealthImplementation(
    Object.fromEntries([
      ['', 'SERVING'] as const,
      ...options.services.map(({ name }) => [name, 'SERVING'] as const),
    ]),
  );
  health.addToServer(server);
  const protoFolder = fileURLToPath(new URL('../../proto', import.meta.url));
  const packages = loadSync(options.protoFiles, { includeDirs: [protoFolder] });
  // Without the list of names, reflection would also list services of imported proto files that are not served here.
  // Like health, reflection needs no token: it shows nothing but the public proto files.
  new ReflectionService(packages, { services: options.services.map(({ name }) => name) }).addToServer(server);

  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync(`${options.host}:${options.port}`, ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  return {
    port,
    local: localChannel(calls),
    drain: () => {
      for (const { name } of options.services) health.setStatus(name, 'NOT_SERVING');
      health.setStatus('', 'NOT_SERVING');
    },
    close: () =>
      new Promise((resolve) => {
        const force = setTimeout(() => server.forceShutdown(), 5000);
        server.tryShutdown(() => {
          clearTimeout(force);
          resolve();
        });
      }),
  };
}

/** Answers the value, or throws INVALID_ARGUMENT for `path` if a required message field is not set. */
export function required<T>(value: T | undefined, path: string): T {
  if (value === undefined) {
    throw new GoChatError('INVALID_ARGUMENT', `${path} is required.`, [{ path, message: 'is required' }]);
  }
  return value;
}

export { status };
