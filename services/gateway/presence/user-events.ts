import { setTimeout as sleep } from 'node:timers/promises';
import type { PresenceTransition } from '../../../lib/gen/im_repo/v1/online_status.ts';
import type { GroupCommit } from '../../../lib/kafka/group-commit.ts';
import type { UserEvent } from '../../../lib/kafka/records.ts';
import { topics } from '../../../lib/kafka/topics.ts';
import type { Logger } from '../../../lib/log.ts';

export type UserEvents = {
  publish(type: 'user.online' | 'user.disconnected', transitions: readonly PresenceTransition[]): void;
  depth(): number;
  /** Resolves when all are acknowledged, or after the time given. */
  flush(withinMs: number): Promise<void>;
};

const maxPending = 100_000;
const maxPauseMs = 2000;

/** Presence events into gochat.user-events, in order, tried again until the broker has them. */
export function createUserEvents(deps: { commit: GroupCommit; log: Logger }): UserEvents {
  const { log } = deps;
  let pending: UserEvent[] = [];
  let running: Promise<void> | undefined;

  async function run(): Promise<void> {
    for (let pauseMs = 100; pending.length > 0; ) {
      const events = pending;
      pending = [];
      const results = await Promise.allSettled(
        events.map((event) => deps.commit.send(topics.userEvents, idOf(event), JSON.stringify(event))),
      );
      const failed = events.filter((_, index) => results[index]?.status === 'rejected');
      if (failed.length === 0) {
        pauseMs = 100;
        continue;
      }
      log.warn({ events: failed.length }, 'presence events wait for the broker');
      pending = [...failed, ...pending];
      await sleep(pauseMs);
      pauseMs = Math.min(pauseMs * 2, maxPauseMs);
    }
  }

  return {
    publish(type, transitions) {
      for (const { userId, epoch, lastActiveAt } of transitions) {
        if (pending.length >= maxPending) {
          log.error({ userId, type }, 'presence event dropped: too many are waiting');
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
      if (pending.length === 0) return;
      running ??= run().finally(() => {
        running = undefined;
      });
    },
    depth: () => pending.length,
    async flush(withinMs) {
      await Promise.race([running, sleep(withinMs, undefined, { ref: false })]);
    },
  };
}

const idOf = (event: UserEvent): string => event.user_id;
