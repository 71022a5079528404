import { LRUCache } from 'lru-cache';

export type SeenEvents = {
  /** Whether a user's sessions got this already. */
  has(eventId: string, type: string, userId: string): boolean;
  add(eventId: string, type: string, userId: string): void;
};

/** Which pushes were delivered here lately: a pusher that tries again must not show anybody the same thing twice. */
export function createSeenEvents(most = 100_000): SeenEvents {
  const seen = new LRUCache<string, true>({ max: most });
  const keyOf = (eventId: string, type: string, userId: string) => `${userId} ${type} ${eventId}`;
  return {
    // An event without an id can't be told from another one.
    has: (eventId, type, userId) => eventId !== '' && seen.has(keyOf(eventId, type, userId)),
    add(eventId, type, userId) {
      if (eventId !== '') seen.set(keyOf(eventId, type, userId), true);
    },
  };
}
