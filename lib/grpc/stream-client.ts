import { once } from 'node:events';
import type { Client, ClientWritableStream, ServiceError } from '@grpc/grpc-js';
import type { AnyMethod, Request, Response } from './definition.ts';
import { toGoChatError } from './service-error.ts';
import { type GrpcToken, tokenMetadata } from './token.ts';

export type Connection = {
  client: Client;
  token: GrpcToken | undefined;
  /** Called after every call, with null if the call succeeded. */
  onAnswer(error: ServiceError | null): void;
};

type StreamOptions = {
  /** Milliseconds that the whole call may take. */
  deadlineMs: number;
};

/**
 * Calls a method whose requests are a stream. Requests are taken from the iterator when the server has room for them.
 * Rejects with a GoChatError of the server, or with what the iterator throws; then the server sees a broken stream. An
 * answer may come before the last request; no more requests are taken then.
 */
export type SendingCall<M> = (
  requests: AsyncIterable<Request<M>>,
  options: StreamOptions,
) => Promise<Response<M>>;

/** Calls a method whose responses are a stream. Iterating rejects with a GoChatError. */
export type ReceivingCall<M> = (request: Request<M>, options: StreamOptions) => Responses<Response<M>>;

/** `cancel` must be called when the responses are not read to their end. It may always be called. */
export type Responses<R> = AsyncIterable<R> & { cancel(): void };

export type StreamCalls = {
  sending<M extends AnyMethod>(method: M): SendingCall<M>;
  receiving<M extends AnyMethod>(method: M): ReceivingCall<M>;
};

export function sendingCall<M extends AnyMethod>(
  { client, token, onAnswer }: Connection,
  method: M,
): SendingCall<M> {
  return (requests, { deadlineMs }) =>
    new Promise((resolve, reject) => {
      const answered = new AbortController();
      const call = client.makeClientStreamRequest<Request<M>, Response<M>>(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        tokenMetadata(token),
        { deadline: Date.now() + deadlineMs },
        (error, response) => {
          answered.abort();
          onAnswer(error);
          if (error) reject(toGoChatError(error));
          else resolve(response as Response<M>);
        },
      );
      sendAll(call, requests, answered.signal).catch((error: unknown) => {
        reject(error);
        call.cancel();
      });
    });
}

async function sendAll<R>(
  call: ClientWritableStream<R>,
  requests: AsyncIterable<R>,
  answered: AbortSignal,
): Promise<void> {
  for await (const request of requests) {
    if (answered.aborted) return;
    if (call.write(request)) continue;
    await once(call, 'drain', { signal: answered }).catch((error: unknown) => {
      if (!answered.aborted) throw error;
    });
  }
  if (!answered.aborted) call.end();
}

export function receivingCall<M extends AnyMethod>(
  { client, token, onAnswer }: Connection,
  method: M,
): ReceivingCall<M> {
  return (request, { deadlineMs }) => {
    const call = client.makeServerStreamRequest<Request<M>, Response<M>>(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      request,
      tokenMetadata(token),
      { deadline: Date.now() + deadlineMs },
    );
    // Without a listener, the error of a call that nobody reads any more would end the process.
    call.on('error', onAnswer);
    call.on('end', () => onAnswer(null));
    return {
      cancel: () => call.cancel(),
      async *[Symbol.asyncIterator]() {
        try {
          yield* call as AsyncIterable<Response<M>>;
        } catch (error) {
          throw toGoChatError(error as Parameters<typeof toGoChatError>[0]);
        }
      },
    };
  };
}
