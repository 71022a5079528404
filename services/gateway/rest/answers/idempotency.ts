import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createBackoff } from '../../../../lib/async/retry.ts';
import { GoChatError } from '../../../../lib/errors.ts';
import { RequestState } from '../../../../lib/gen/im_repo/v1/idempotency.ts';
import type { RepoClient } from '../../../../lib/grpc/clients.ts';

/** The right to carry out the request that a key names. */
export type Claim = {
  key: string;
  /** Reserved for what the request creates: the same after a crash and a new claim. */
  resourceId: string;
  complete(status: number, body: string): Promise<void>;
  abandon(): Promise<void>;
};

export type Begun = { state: 'new'; claim: Claim } | { state: 'done'; status: number; body: string };

/** How long a repeat waits for the first answer. */
const patienceMs = 10_000;
/** Longer than any request takes; after it a crashed gateway's claim can be taken over. */
const leaseMs = 30_000;

/**
 * Claims a key, or waits for the answer of whoever holds it. IDEMPOTENCY_MISMATCH for another body under the same
 * key, UNAVAILABLE when the first answer does not come in time.
 */
export async function beginOnce(
  idempotency: RepoClient['idempotency'],
  request: { scope: string; key: string; requestHash: Buffer },
  waitMs = patienceMs,
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
