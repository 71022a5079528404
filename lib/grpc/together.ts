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

/** Calls under way at once, each for up to so many: what comes meanwhile joins the next one. */
const maxConcurrentCalls = 4;
const mostTogether = 16;
const mostWaiting = 10_000;

/**
 * Makes the calls of a method that come at about the same time go as one, like a group commit: the more load, the more
 * go together. A unary call of its own costs each side about as much as its work. Only for methods that read: what
 * goes together ends together. `alone` makes a call by itself, `send` one of TogetherService.
 */
export function createTogether(
  method: AnyMethod,
  alone: Call,
  send: (
    request: { method: string; requests: Buffer[] },
    options: CallOptions,
  ) => Promise<CallTogetherResponse>,
): Call {
  const waiting: Waiting[] = [];
  const gather = createGather({
    waiting: () => waiting.length,
    handle: () => answer(waiting.splice(0, mostTogether)),
    maxConcurrent: maxConcurrentCalls,
  });

  async function answer(batch: Waiting[]): Promise<void> {
    const [only] = batch;
    if (only && batch.length === 1) return settle(only);
    const deadlineMs = Math.max(...batch.map(({ until }) => until)) - Date.now();
    try {
      const requests = batch.map(({ request }) => method.requestSerialize(request));
      const { outcomes } = await send({ method: method.path, requests }, { deadlineMs });
      await Promise.all(batch.map((one, index) => take(one, outcomes[index])));
    } catch (error) {
      for (const one of batch) one.reject(error);
    }
  }

  async function settle(one: Waiting): Promise<void> {
    await alone(one.request, { deadlineMs: one.until - Date.now() }).then(one.resolve, one.reject);
  }

  async function take(one: Waiting, outcome: CallOutcome | undefined): Promise<void> {
    if (!outcome || outcome.alone) return settle(one);
    if (!isCode(outcome.code)) return one.resolve(method.responseDeserialize(outcome.response));
    const fields = outcome.fields === '' ? [] : JSON.parse(outcome.fields);
    one.reject(new GoChatError(outcome.code, outcome.message, fields));
  }

  return (request, { deadlineMs = defaultDeadlineMs } = {}) => {
    if (waiting.length >= mostWaiting) {
      return Promise.reject(
        new GoChatError('UNAVAILABLE', 'Too much is waiting to be read. Try again shortly.'),
      );
    }
    return new Promise((resolve, reject) => {
      waiting.push({ request, until: Date.now() + deadlineMs, resolve, reject });
      gather.wake();
    });
  };
}
