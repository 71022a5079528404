import { LRUCache } from 'lru-cache';

export type Newcomers = {
  /** Whether what comes now of a conversation has to wait for a user, who is in the conversation, but not yet told so. */
  waits(conversationId: string, userId: string, among: ReadonlySet<string>): boolean;
  /** Keeps a delivery until the user was told. */
  hold(conversationId: string, userId: string, deliver: () => void): void;
  /** The user was told: what waited is delivered. */
  announced(conversationId: string, userId: string): void;
  /** The user left: what is told of coming back is waited for again. */
  departed(conversationId: string, userId: string): void;
  /** Deliveries that wait. */
  held(): number;
};

/** The event mostly follows within 20 ms. What fails must not hold messages up for good. */
const longestMs = 2000;
/** Longer than anybody counts as a newcomer. */
const rememberedMs = 10_000;
const mostHeld = 10_000;

/**
 * A member is added by a transaction, and told so by an event that takes the messages' way. Messages that were on this way
 * already reach the newcomer before the event: they wait here for it, so that nobody hears of a conversation that is not
 * theirs yet as far as they know.
 */
export function createNewcomers(): Newcomers {
  const waiting = new Map<string, { deliveries: (() => void)[]; timer: NodeJS.Timeout }>();
  const told = new LRUCache<string, true>({ max: 100_000, ttl: rememberedMs });
  let count = 0;
  const keyOf = (conversationId: string, userId: string) => `${conversationId} ${userId}`;

  function release(key: string): void {
    const queue = waiting.get(key);
    told.set(key, true);
    if (!queue) return;
    waiting.delete(key);
    clearTimeout(queue.timer);
    count -= queue.deliveries.length;
    for (const deliver of queue.deliveries) deliver();
  }

  return {
    waits(conversationId, userId, among) {
      const key = keyOf(conversationId, userId);
      if (waiting.has(key)) return true;
      return count < mostHeld && among.has(userId) && !told.has(key);
    },
    hold(conversationId, userId, deliver) {
      const key = keyOf(conversationId, userId);
      let queue = waiting.get(key);
      if (!queue) {
        queue = { deliveries: [], timer: setTimeout(release, longestMs, key).unref() };
        waiting.set(key, queue);
      }
      queue.deliveries.push(deliver);
      count += 1;
      if (count > mostHeld) release(key);
    },
    announced: (conversationId, userId) => release(keyOf(conversationId, userId)),
    departed: (conversationId, userId) => {
      told.delete(keyOf(conversationId, userId));
    },
    held: () => count,
  };
}
