import { fileURLToPath } from 'node:url';
import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { HealthImplementation } from 'grpc-health-check';
import { codeOf, GoChatError, grpcStatus, messageOf } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import type { ServiceDefinition, UnaryHandlers } from './definition.ts';

/** gRPC metadata key under which an error's code travels. */
export const codeMetadataKey = 'gochat-code';

/** Largest message that servers and clients accept, in bytes. */
export const maxMessageBytes = 4 * 1024 * 1024;

type Registration = { name: string; definition: ServiceDefinition; handlers: object };

/** Pairs a generated service definition with its handlers; `name` is the full proto name. */
export function service<D extends ServiceDefinition>(
  name: string,
  definition: D,
  handlers: UnaryHandlers<D>,
): Registration {
  return { name, definition, handlers };
}

export type GrpcServer = { port: number; drain(): void; close(): Promise<void> };

/**
 * Serves services with health checking and reflection. A handler that throws a GoChatError answers the matching
 * status with its code in the metadata; anything else is logged and answers INTERNAL_ERROR.
 */
export async function serveGrpc(options: {
  host: string;
  port: number;
  services: Registration[];
  /** Proto files relative to proto/, for reflection. */
  protoFiles: string[];
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

  for (const { definition, handlers } of options.services) {
    const implementation: Record<
      string,
      (call: ServerUnaryCall<unknown, unknown>, reply: sendUnaryData<unknown>) => void
    > = {};
    for (const [key, method] of Object.entries(definition)) {
      const handler = (handlers as Record<string, (request: unknown) => Promise<unknown>>)[key];
      if (!handler) throw new Error(`no handler for ${method.path}`);
      implementation[key] = (call, reply) => {
        const end = duration.startTimer({ method: method.path });
        // Async, so that a handler that throws at once rejects like all others instead of ending the process.
        const answer = async () => handler(call.request);
        answer().then(
          (response) => {
            end({ code: 'OK' });
            reply(null, response);
          },
          (error: unknown) => {
            const code = codeOf(error);
            end({ code });
            if (!(error instanceof GoChatError))
              log.error({ err: error, method: method.path }, 'call failed');
            const metadata = new Metadata();
            metadata.set(codeMetadataKey, code);
            if (error instanceof GoChatError && error.fields.length > 0) {
              metadata.set('gochat-fields-bin', Buffer.from(JSON.stringify(error.fields)));
            }
            reply({ code: grpcStatus(code), details: messageOf(error), metadata });
          },
        );
      };
    }
    server.addService(definition, implementation);
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
  // Imported files describe services of others: what is listed is what is served here.
  new ReflectionService(packages, { services: options.services.map(({ name }) => name) }).addToServer(server);

  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync(`${options.host}:${options.port}`, ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  return {
    port,
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

/** For a handler whose rule is elsewhere: what an unset required message means. */
export function required<T>(value: T | undefined, path: string): T {
  if (value === undefined) {
    throw new GoChatError('INVALID_ARGUMENT', `${path} is required.`, [{ path, message: 'is required' }]);
  }
  return value;
}

export { status };
