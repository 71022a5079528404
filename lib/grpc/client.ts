import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { type FieldError, GoChatError, isCode } from '../errors.ts';
import type { CallOptions, ServiceDefinition, UnaryClient } from './definition.ts';
import { codeMetadataKey, maxMessageBytes } from './server.ts';

const defaultDeadlineMs = 5000;

/** A connection to a service's address; several clients share it. */
export type GrpcChannel = { readonly client: Client; ready(): Promise<boolean>; close(): void };

export function openChannel(address: string): GrpcChannel {
  const client = new Client(address, credentials.createInsecure(), {
    'grpc.max_receive_message_length': maxMessageBytes * 4,
    'grpc.max_send_message_length': maxMessageBytes,
    'grpc.keepalive_time_ms': 10_000,
    'grpc.keepalive_timeout_ms': 5000,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 1000,
    'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
  });
  return {
    client,
    ready: () => new Promise((resolve) => client.waitForReady(Date.now() + 1500, (error) => resolve(!error))),
    close: () => client.close(),
  };
}

/** A client of one service on a channel. Every call has a deadline; every rejection is a GoChatError. */
export function createClient<D extends ServiceDefinition>(
  channel: GrpcChannel,
  definition: D,
): UnaryClient<D> {
  const calls = Object.entries(definition).map(([key, method]) => [
    key,
    (request: unknown, options: CallOptions = {}) =>
      new Promise((resolve, reject) => {
        channel.client.makeUnaryRequest(
          method.path,
          method.requestSerialize,
          method.responseDeserialize,
          request,
          new Metadata(),
          { deadline: Date.now() + (options.deadlineMs ?? defaultDeadlineMs) },
          (error, response) => (error ? reject(toGoChatError(error)) : resolve(response)),
        );
      }),
  ]);
  return Object.fromEntries(calls);
}

function toGoChatError(error: ServiceError): GoChatError {
  const code = String(error.metadata?.get(codeMetadataKey)[0] ?? '');
  if (isCode(code)) return new GoChatError(code, error.details, fieldsOf(error.metadata));
  const transient =
    error.code === status.UNAVAILABLE ||
    error.code === status.DEADLINE_EXCEEDED ||
    error.code === status.CANCELLED;
  if (transient) {
    return new GoChatError('UNAVAILABLE', 'A part of the system is not reachable right now. Try again.');
  }
  // The transport's own words are for the log, not for whoever reads the answer.
  const fault = new GoChatError('INTERNAL_ERROR', 'Something went wrong here. Send the same request again.');
  fault.cause = error;
  return fault;
}

function fieldsOf(metadata: Metadata): FieldError[] {
  const value = metadata.get('gochat-fields-bin')[0];
  return value instanceof Buffer ? JSON.parse(value.toString('utf8')) : [];
}
