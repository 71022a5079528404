import { LRUCache } from 'lru-cache';

export type Newcomers = {
  /**
   * True if a frame of this conversation must wait for this user: a newcomer (one of `newcomerIds`) who has not received
   * the event about joining yet, or a user for whom earlier frames wait.
   */
  mustWait(conversationId: string, userId: string, newcomerIds: ReadonlySet<string>): boolean;
  /** Queues a delivery until the user has received that event. */
  hold(conversationId: string, userId: string, deliver: () => void): void;
  /** The user has received the event: runs the queued deliveries. */
  announced(conversationId: string, userId: string): void;
  /** The user left: if the user joins again, frames wait for the new event. */
  departed(conversationId: string, userId: string): void;
  /** Number of queued deliveries. */
  held(): number;
};

/** The event usually follows within 20 ms. If it gets lost, messages must not be held back for good. */
const maxHoldMs = 2000;
/** Longer than a user is listed as a newcomer. */
const rememberedMs = 10_000;
const maxHeld = 10_000;

/**
 * A transaction adds a member, and an event announces it to the member on the path of the messages. Messages that are on
 * this path already reach the newcomer before the event. They are held here until the event, so that a client never gets
 * a message of a conversation that it does not know yet.
 */
export function createNewcomers(): Newcomers {
  const waiting = new Map<string, { deliveries: (() => void)[]; timer: NodeJS.Timeout }>();
  /** Users who have received the event, by `keyOf`. */
  const notified = new LRUCache<string, true>({ max: 100_000, ttl: rememberedMs });
  let count = 0;
  const keyOf = (conversationId: string, userId: string) => `${conversationId} ${userId}`;

  function release(key: string): void {
    const queue = waiting.get(key);
    notified.set(key, true);
    if (!queue) return;
    waiting.delete(key);
    clearTimeout(queue.timer);
    count -= queue.deliveries.length;
    for (const deliver of queue.deliveries) deliver();
  }

  return {
    mustWait(conversationId, userId, newcomerIds) {
      const key = keyOf(conversationId, userId);
      if (waiting.has(key)) return true;
      return count < maxHeld && newcomerIds.has(userId) && !notified.has(key);
    },
    hold(conversationId, userId, deliver) {
      const key = keyOf(conversationId, userId);
      let queue = waiting.get(key);
      if (!queue) {
        queue = { deliveries: [], timer: setTimeout(release, maxHoldMs, key).unref() };
        waiting.set(key, queue);
      }
      queue.deliveries.push(deliver);
      count += 1;
      if (count > maxHeld) release(key);
    },
    announced: (conversationId, userId) => release(keyOf(conversationId, userId)),
    departed: (conversationId, userId) => {
      notified.delete(keyOf(conversationId, userId));
    },
    held: () => count,
  };
}
