import { withDeadline } from '../../../lib/async/deadline.ts';
import { createGather } from '../../../lib/async/gather.ts';
import { retry } from '../../../lib/async/retry.ts';
import type { PresenceTransition } from '../../../lib/gen/im_repo/v1/online_status.ts';
import type { GroupCommit } from '../../../lib/kafka/group-commit.ts';
import { topics } from '../../../lib/kafka/topics.ts';
import type { Logger } from '../../../lib/log.ts';
import type { UserEvent } from '../../../lib/records/records.ts';

export type UserEvents = {
  /** Queues one event per transition. While too many are pending, an event is dropped and the drop is logged. */
  publish(type: 'user.online' | 'user.disconnected', transitions: readonly PresenceTransition[]): void;
  depth(): number;
  /** Resolves when the broker has acknowledged all events, or after `withinMs`. */
  flush(withinMs: number): Promise<void>;
};

const maxPending = 100_000;
const pauses = { firstMs: 100, longestMs: 2000 };

/** Publishes presence events to gochat.user-events in order, with retries until the broker has acknowledged them. */
export function createUserEvents(deps: { commit: GroupCommit; log: Logger }): UserEvents {
  const { log } = deps;
  let pending: UserEvent[] = [];

  /** Rejects if the broker refused some events. These are queued again, in front of those that arrived meanwhile. */
  async function sendPending(): Promise<void> {
    const events = pending;
    pending = [];
    const results = await Promise.allSettled(
      events.map((event) => deps.commit.send(topics.userEvents, event.user_id, JSON.stringify(event))),
    );
    const failure = results.find((result) => result.status === 'rejected');
    if (!failure) return;
    const failed = events.filter((_, index) => results[index]?.status === 'rejected');
    pending = [...failed, ...pending];
    throw failure.reason;
  }

  const gather = createGather({
    waiting: () => pending.length,
    handle: () =>
      retry(sendPending, {
        ...pauses,
        onPause: (error, pauseMs) =>
          log.warn({ err: error, events: pending.length, pauseMs }, 'cannot publish presence events'),
      }),
  });

  return {
    publish(type, transitions) {
      for (const { userId, epoch, lastActiveAt } of transitions) {
        if (pending.length >= maxPending) {
          log.error({ userId, type }, 'dropped a presence event, because too many are pending');
          continue;
        }
        pending.push({
          event_id: `${type}/${userId}/${epoch}`,
          type,
          occurred_at: Date.now(),
          actor_id: userId,
          user_id: userId,
          epoch,
          last_active_at: lastActiveAt,
        });
      }
      gather.wake();
    },
    depth: () => pending.length,
    async flush(withinMs) {
      await withDeadline(gather.flush(), withinMs, () => undefined);
    },
  };
}
