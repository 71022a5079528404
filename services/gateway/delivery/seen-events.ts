import { LRUCache } from 'lru-cache';

export type SeenEvents = {
  /** True if sessions of the user have got this event already. */
  has(eventId: string, type: string, userId: string): boolean;
  add(eventId: string, type: string, userId: string): void;
};

/** Remembers recently delivered pushes, so that a retry of a push does not reach a user twice. */
export function createSeenEvents(maxEvents = 100_000): SeenEvents {
  const seen = new LRUCache<string, true>({ max: maxEvents });
  const keyOf = (eventId: string, type: string, userId: string) => `${userId} ${type} ${eventId}`;
  return {
    // Events without an id cannot be recognised as duplicates.
    has: (eventId, type, userId) => eventId !== '' && seen.has(keyOf(eventId, type, userId)),
    add(eventId, type, userId) {
      if (eventId !== '') seen.set(keyOf(eventId, type, userId), true);
    },
  };
}
