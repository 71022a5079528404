import type { MethodDefinition } from '@grpc/grpc-js';
import { GoChatError } from '../errors.ts';

// biome-ignore lint/suspicious/noExplicitAny: a definition's request and response types are read back by inference.
export type AnyMethod = MethodDefinition<any, any>;

/** A service as ts-proto generates it: its unary methods by name. */
export type ServiceDefinition = Record<string, AnyMethod>;

export type Request<M> = M extends { requestSerialize: (value: infer R) => Buffer } ? R : never;
export type Response<M> = M extends { responseDeserialize: (value: Buffer) => infer R } ? R : never;

/** The server side of a service: one asynchronous function per method. */
export type UnaryHandlers<D extends ServiceDefinition> = {
  [K in keyof D]: (request: Request<D[K]>) => Promise<Response<D[K]>>;
};

/**
 * A response in protobuf bytes, for a caller that passes it on without reading it. `as` is the same response decoded.
 */
export type Encoded<R> = { readonly encoded: Buffer; readonly as?: R };

/** Like UnaryHandlers, but a handler may also answer with an encoded response, and methods may be streams. */
export type ServedHandlers<D extends ServiceDefinition> = {
  [K in keyof D]: D[K] extends { requestStream: true }
    ? ReceivingHandler<D[K]>
    : D[K] extends { responseStream: true }
      ? SendingHandler<D[K]>
      : (request: Request<D[K]>) => Promise<Response<D[K]> | Encoded<Response<D[K]>>>;
};

/**
 * Serves a method whose requests are a stream. What the handler does not read stays with the caller. A caller that gives
 * up may look like one that has sent everything, so the last request has to say that it is the last one.
 */
export type ReceivingHandler<M> = (requests: AsyncIterable<Request<M>>) => Promise<Response<M>>;

/** Serves a method whose responses are a stream. The next response is asked for when the caller has room for it. */
export type SendingHandler<M> = (request: Request<M>, signal: AbortSignal) => AsyncIterable<Response<M>>;

export const isEncoded = (response: unknown): response is Encoded<unknown> =>
  response !== null &&
  typeof response === 'object' &&
  'encoded' in response &&
  Buffer.isBuffer(response.encoded);

/** The deadline of a call that gives none. */
export const defaultDeadlineMs = 5000;

/** The error of a call whose server does not answer, or not before the deadline. */
export const unreachable = (): GoChatError =>
  new GoChatError('UNAVAILABLE', 'A part of the system is not reachable right now. Try again.');

export type CallOptions = {
  /** Milliseconds until the call gives up with UNAVAILABLE. */
  deadlineMs?: number;
};

/** The client side of a service. The responses of the methods in `E` stay encoded. Calls reject with a GoChatError. */
export type UnaryClient<D extends ServiceDefinition, E extends keyof D = never> = {
  [K in keyof D]: (
    request: Request<D[K]>,
    options?: CallOptions,
  ) => Promise<K extends E ? Encoded<Response<D[K]>> : Response<D[K]>>;
};

/** A client's function that calls one method. */
export type UnaryCall<M extends AnyMethod> = (
  request: Request<M>,
  options?: CallOptions,
) => Promise<Response<M>>;

/** A connection to the services of one process. Several clients share it. */
export type GrpcChannel = {
  unary<M extends AnyMethod>(method: M): UnaryCall<M>;
  /** Like `unary`, but answers the response in protobuf bytes. */
  encoded(method: AnyMethod): (request: unknown, options?: CallOptions) => Promise<Encoded<unknown>>;
  /** True if calls cross the network, so that combining concurrent calls saves time. */
  readonly remote: boolean;
  ready(): Promise<boolean>;
  close(): void;
};
