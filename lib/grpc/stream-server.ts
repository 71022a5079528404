import { once } from 'node:events';
import type { ServerReadableStream, ServerWritableStream, sendUnaryData } from '@grpc/grpc-js';
import { GoChatError } from '../errors.ts';
import { toServiceError } from './service-error.ts';

// biome-ignore lint/suspicious/noExplicitAny: a handler has the types of its method (ReceivingHandler, SendingHandler).
export type StreamHandler = (...args: any[]) => any;
/** Runs a handler, and measures and logs it. */
type Run = (handle: () => Promise<unknown>) => Promise<unknown>;

/** Serves a method whose requests are a stream. */
export const receiving =
  (handler: StreamHandler, run: Run) =>
  (call: ServerReadableStream<unknown, unknown>, reply: sendUnaryData<unknown>): void => {
    run(() => handler(call).catch((error: unknown) => throwUnlessCancelled(call, error))).then(
      (response) => reply(null, response),
      (error: unknown) => reply(toServiceError(error)),
    );
  };

/** What breaks because the caller gave up is no fault of this service. */
function throwUnlessCancelled(call: { cancelled: boolean }, error: unknown): never {
  throw call.cancelled ? new GoChatError('UNAVAILABLE', 'The caller gave up.') : error;
}

/** Serves a method whose responses are a stream. */
export const sending =
  (handler: StreamHandler, run: Run) =>
  (call: ServerWritableStream<unknown, unknown>): void => {
    const cancelled = new AbortController();
    call.once('cancelled', () => cancelled.abort());
    run(() => sendAll(call, handler(call.request, cancelled.signal), cancelled.signal)).then(
      () => call.end(),
      (error: unknown) => call.emit('error', toServiceError(error)),
    );
  };

async function sendAll(
  call: ServerWritableStream<unknown, unknown>,
  responses: AsyncIterable<unknown>,
  signal: AbortSignal,
): Promise<void> {
  try {
    for await (const response of responses) {
      if (signal.aborted) return;
      if (!call.write(response)) await once(call, 'drain', { signal });
    }
  } catch (error) {
    // Nobody waits for the outcome of a call that was cancelled.
    if (!signal.aborted) throw error;
  }
}
