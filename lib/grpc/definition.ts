import type { MethodDefinition } from '@grpc/grpc-js';
import { GoChatError } from '../errors.ts';

// biome-ignore lint/suspicious/noExplicitAny: a definition's request and response types are read back by inference.
export type AnyMethod = MethodDefinition<any, any>;

/** What ts-proto generates for a service: its unary methods by name. */
export type ServiceDefinition = Record<string, AnyMethod>;

export type Request<M> = M extends { requestSerialize: (value: infer R) => Buffer } ? R : never;
export type Response<M> = M extends { responseDeserialize: (value: Buffer) => infer R } ? R : never;

/** The server's side of a service: a promise-returning function a method. */
export type UnaryHandlers<D extends ServiceDefinition> = {
  [K in keyof D]: (request: Request<D[K]>) => Promise<Response<D[K]>>;
};

/** A response in the bytes that travel, which whoever only passes it on need not read. */
export type Encoded<R> = { readonly encoded: Buffer; readonly as?: R };

/** As UnaryHandlers, where a handler may also answer with the encoded response. */
export type ServedHandlers<D extends ServiceDefinition> = {
  [K in keyof D]: (request: Request<D[K]>) => Promise<Response<D[K]> | Encoded<Response<D[K]>>>;
};

export const isEncoded = (response: unknown): response is Encoded<unknown> =>
  response !== null &&
  typeof response === 'object' &&
  'encoded' in response &&
  Buffer.isBuffer(response.encoded);

/** Of a call that names none. */
export const defaultDeadlineMs = 5000;

/** What a call rejects with whose server does not answer in time, or at all. */
export const unreachable = (): GoChatError =>
  new GoChatError('UNAVAILABLE', 'A part of the system is not reachable right now. Try again.');

export type CallOptions = {
  /** Milliseconds until the call gives up with UNAVAILABLE. */
  deadlineMs?: number;
};

/** The client's side of a service, some of its responses (`E`) left encoded. Rejects with a GoChatError. */
export type UnaryClient<D extends ServiceDefinition, E extends keyof D = never> = {
  [K in keyof D]: (
    request: Request<D[K]>,
    options?: CallOptions,
  ) => Promise<K extends E ? Encoded<Response<D[K]>> : Response<D[K]>>;
};

/** One call of a method, as a client makes it. */
export type UnaryCall<M extends AnyMethod> = (
  request: Request<M>,
  options?: CallOptions,
) => Promise<Response<M>>;

/** A way to the methods of a service; several clients share it. */
export type GrpcChannel = {
  unary<M extends AnyMethod>(method: M): UnaryCall<M>;
  /** The same with the response left in the bytes that travelled. */
  encoded(method: AnyMethod): (request: unknown, options?: CallOptions) => Promise<Encoded<unknown>>;
  /** Whether calls cost a journey, so that those of a moment had better go together. */
  readonly remote: boolean;
  ready(): Promise<boolean>;
  close(): void;
};
