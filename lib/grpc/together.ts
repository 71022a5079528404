import { createGather } from '../async/gather.ts';
import { GoChatError, isCode } from '../errors.ts';
import type { CallOutcome, CallTogetherResponse } from '../gen/gochat_rpc/v1/together.ts';
import { type AnyMethod, type CallOptions, defaultDeadlineMs } from './definition.ts';

type Call = (request: unknown, options?: CallOptions) => Promise<unknown>;
type Waiting = {
  request: unknown;
  until: number;
  resolve: (response: unknown) => void;
  reject: (error: unknown) => void;
};

/** Maximum number of combined calls in flight, of calls per combined call, and of calls that wait. */
const maxConcurrentCalls = 4;
const maxBatch = 16;
const maxWaiting = 10_000;

/**
 * Combines concurrent calls of a method into one call, like a group commit: the batches grow with the load. This saves
 * time since the overhead of a unary call costs each side about as much as the work itself. Only for methods that read,
 * since calls of a batch all end with the slowest, and fail together if the combined call fails. `single` makes a call
 * by itself, `send` makes a combined call of TogetherService.
 */
export function createTogether(
  method: AnyMethod,
  single: Call,
  send: (
    request: { method: string; requests: Buffer[] },
    options: CallOptions,
  ) => Promise<CallTogetherResponse>,
): Call {
  const waiting: Waiting[] = [];
  const gather = createGather({
    waiting: () => waiting.length,
    handle: () => answer(waiting.splice(0, maxBatch)),
    maxConcurrent: maxConcurrentCalls,
  });

  async function answer(batch: Waiting[]): Promise<void> {
    const [only] = batch;
    if (only && batch.length === 1) return callSingle(only);
    const deadlineMs = Math.max(...batch.map(({ until }) => until)) - Date.now();
    try {
      const requests = batch.map(({ request }) => method.requestSerialize(request));
      const { outcomes } = await send({ method: method.path, requests }, { deadlineMs });
      await Promise.all(batch.map((one, index) => settle(one, outcomes[index])));
    } catch (error) {
      for (const one of batch) one.reject(error);
    }
  }

  async function callSingle(one: Waiting): Promise<void> {
    await single(one.request, { deadlineMs: one.until - Date.now() }).then(one.resolve, one.reject);
  }

  async function settle(one: Waiting, outcome: CallOutcome | undefined): Promise<void> {
    if (!outcome || outcome.alone) return callSingle(one);
    if (!isCode(outcome.code)) return one.resolve(method.responseDeserialize(outcome.response));
    const fields = outcome.fields === '' ? [] : JSON.parse(outcome.fields);
    one.reject(new GoChatError(outcome.code, outcome.message, fields));
  }

  return (request, { deadlineMs = defaultDeadlineMs } = {}) => {
    if (waiting.length >= maxWaiting) {
      return Promise.reject(new GoChatError('UNAVAILABLE', 'Too many reads are waiting. Try again shortly.'));
    }
    return new Promise((resolve, reject) => {
      waiting.push({ request, until: Date.now() + deadlineMs, resolve, reject });
      gather.wake();
    });
  };
}
