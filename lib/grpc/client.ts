import { Client, credentials } from '@grpc/grpc-js';
import { TogetherServiceService } from '../gen/gochat_rpc/v1/together.ts';
import {
  type AnyMethod,
  defaultDeadlineMs,
  type Encoded,
  type GrpcChannel,
  type Request,
  type Response,
  type ServiceDefinition,
  type UnaryCall,
  type UnaryClient,
} from './definition.ts';
import { maxMessageBytes } from './server.ts';
import { isTokenRefusal, toGoChatError } from './service-error.ts';
import { type Connection, receivingCall, type StreamCalls, sendingCall } from './stream-client.ts';
import { createTogether } from './together.ts';
import { type GrpcToken, tokenMetadata } from './token.ts';

const flowControlBytes = 4 * 1024 * 1024;

/** A connection to another process, whose calls may also be streams. */
export type StreamingChannel = GrpcChannel & StreamCalls;

/** Opens a connection to a service's address. Its calls carry the token. */
export function openChannel(address: string, token: GrpcToken | undefined): StreamingChannel {
  const client = new Client(address, credentials.createInsecure(), {
    'grpc.max_receive_message_length': maxMessageBytes * 4,
    'grpc.max_send_message_length': maxMessageBytes,
    // With the default window of 64 KiB, a response the size of a page would wait several times for window updates.
    'grpc-node.flow_control_window': flowControlBytes,
    'grpc.keepalive_time_ms': 10_000,
    'grpc.keepalive_timeout_ms': 5000,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 1000,
    'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
  });
  let isRefused = false;
  const connection: Connection = {
    client,
    token,
    onAnswer(error) {
      isRefused = error !== null && isTokenRefusal(error);
    },
  };
  return {
    unary: (method) => unaryCall(connection, method),
    encoded: (method) => unaryCall(connection, withoutDecoding(method)),
    sending: (method) => sendingCall(connection, method),
    receiving: (method) => receivingCall(connection, method),
    remote: true,
    ready: () =>
      new Promise((resolve) =>
        client.waitForReady(Date.now() + 1500, (error) => resolve(!error && !isRefused)),
      ),
    close: () => client.close(),
  };
}

/**
 * A client of one service on a channel. Every call has a deadline (5 s unless given), and rejects with a GoChatError.
 * Concurrent calls of the methods in `together` are combined into one call. The responses of the methods in `encoded`
 * are returned as bytes, without decoding.
 */
export function createClient<D extends ServiceDefinition, E extends keyof D = never>(
  channel: GrpcChannel,
  definition: D,
  { together = [], encoded = [] }: { together?: readonly (keyof D)[]; encoded?: readonly E[] } = {},
): UnaryClient<D, E> {
  const calls = Object.entries(definition).map(([key, method]) => {
    const isEncoded = encoded.some((one) => one === key);
    const single = isEncoded ? channel.encoded(method) : channel.unary(method);
    if (!channel.remote || !together.includes(key)) return [key, single];
    const combined = isEncoded ? withoutDecoding(method) : method;
    return [key, createTogether(combined, single, channel.unary(callTogether))];
  });
  return Object.fromEntries(calls);
}

const withoutDecoding = (method: AnyMethod): AnyMethod => ({
  ...method,
  responseDeserialize: (bytes: Buffer): Encoded<unknown> => ({ encoded: bytes }),
});

const { callTogether } = TogetherServiceService;

function unaryCall<M extends AnyMethod>({ client, token, onAnswer }: Connection, method: M): UnaryCall<M> {
  return (request, { deadlineMs = defaultDeadlineMs } = {}) =>
    new Promise((resolve, reject) => {
      client.makeUnaryRequest<Request<M>, Response<M>>(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        tokenMetadata(token),
        { deadline: Date.now() + deadlineMs },
        (error, response) => {
          onAnswer(error);
          if (error) reject(toGoChatError(error));
          else resolve(response as Response<M>);
        },
      );
    });
}
