import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createBackoff } from '../../../../lib/async/retry.ts';
import { GoChatError } from '../../../../lib/errors.ts';
import { RequestState } from '../../../../lib/gen/im_repo/v1/idempotency.ts';
import type { RepoClient } from '../../../../lib/grpc/clients.ts';

/** The right to carry out the request that a key names. */
export type Claim = {
  key: string;
  /** The id for the resource that the request creates. It stays the same if the key is claimed again after a crash. */
  resourceId: string;
  /** Stores the answer for repeats. */
  complete(status: number, body: string): Promise<void>;
  /** Gives the claim up, so that a repeat carries the request out again. */
  abandon(): Promise<void>;
};

/** new: the caller must carry the request out. done: an earlier request has the answer. */
export type Begun = { state: 'new'; claim: Claim } | { state: 'done'; status: number; body: string };

/** How long a repeat waits for the first answer. */
const maxWaitMs = 10_000;
/** Longer than any request takes. After it, another request can take over the claim of a crashed gateway. */
const leaseMs = 30_000;

/**
 * Claims a key, or waits for the answer of the request that holds its claim. Rejects with IDEMPOTENCY_MISMATCH if the key
 * was used with another body, and with UNAVAILABLE if the first answer does not come within `waitMs`.
 */
export async function beginOnce(
  idempotency: RepoClient['idempotency'],
  request: { scope: string; key: string; requestHash: Buffer },
  waitMs = maxWaitMs,
): Promise<Begun> {
  const { scope, key } = request;
  const deadline = Date.now() + waitMs;
  const nextPauseMs = createBackoff({ firstMs: 20, longestMs: 500 });
  while (true) {
    const answer = await idempotency.beginRequest({ scope, key, requestHash: request.requestHash, leaseMs });
    switch (answer.state) {
      case RequestState.REQUEST_STATE_NEW: {
        const { claim, resourceId } = answer;
        return {
          state: 'new',
          claim: {
            key,
            resourceId,
            complete: async (statusCode, responseBody) => {
              await idempotency.completeRequest({ scope, key, claim, statusCode, responseBody });
            },
            abandon: async () => {
              await idempotency.abandonRequest({ scope, key, claim });
            },
          },
        };
      }
      case RequestState.REQUEST_STATE_DONE:
        return { state: 'done', status: answer.statusCode, body: answer.responseBody };
      case RequestState.REQUEST_STATE_MISMATCH:
        throw new GoChatError('IDEMPOTENCY_MISMATCH', 'This Idempotency-Key was used with another body.');
      default: {
        const pauseMs = nextPauseMs();
        if (Date.now() + pauseMs > deadline) {
          throw new GoChatError(
            'UNAVAILABLE',
            'The first request with this Idempotency-Key is still running.',
          );
        }
        await sleep(pauseMs);
      }
    }
  }
}

export const hashOf = (text: string): Buffer => createHash('sha256').update(text).digest();
