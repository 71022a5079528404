import type { MethodDefinition } from '@grpc/grpc-js';

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

/** Of a call that names none. */
export const defaultDeadlineMs = 5000;

export type CallOptions = {
  /** Milliseconds until the call gives up with UNAVAILABLE. */
  deadlineMs?: number;
};

/** The client's side of a service. Rejects with a GoChatError. */
export type UnaryClient<D extends ServiceDefinition> = {
  [K in keyof D]: (request: Request<D[K]>, options?: CallOptions) => Promise<Response<D[K]>>;
};
