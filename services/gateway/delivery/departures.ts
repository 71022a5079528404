import { LRUCache } from 'lru-cache';
import type { DownstreamEvent } from '../../../lib/records/records.ts';

export type Departures = {
  /** Records a delivered event: which users left or joined a conversation, and the last message before they left. */
  record(event: DownstreamEvent): void;
  /**
   * Returns a predicate: true if a user must not get this message, because the user left the conversation after it.
   * Undefined if nobody left recently.
   */
  hasLeftAfter(conversationId: string, seqId: number): ((userId: string) => boolean) | undefined;
  /** True if the user left recently and was not added again. */
  isGone(conversationId: string, userId: string): boolean;
};

/** Longer than a fan-out lags behind. */
const keptMs = 10 * 60_000;
const maxUsers = 100_000;

/** `users`: per user who left, the last seq id before. `back`: those of them who were added again. */
type Left = { users: Map<string, number>; back: Set<string>; dissolved: boolean };

/**
 * Remembers who left which conversation recently. In large groups, member-removed is delivered directly, while earlier
 * messages may still be in the pages of the fan-out: a user must not get them after member-removed. Later messages are
 * not addressed to users who left, and do reach users who were added again.
 */
export function createDepartures(): Departures {
  const left = new LRUCache<string, Left>({
    ttl: keptMs,
    maxSize: maxUsers,
    sizeCalculation: ({ users }) => users.size + 1,
  });

  return {
    record({ frame, data, last_seq_id }) {
      if (frame === 'conversation-dissolved') {
        left.set(data.conversationId, { users: new Map(), back: new Set(), dissolved: true });
        return;
      }
      if (frame === 'member-added') {
        const found = left.get(data.conversationId);
        if (!found) return;
        for (const { id } of data.members) if (found.users.has(id)) found.back.add(id);
        return;
      }
      if (frame !== 'member-removed' || last_seq_id === undefined) return;
      const { conversationId, userIds } = data;
      const { users, back, dissolved } = left.get(conversationId) ?? {
        users: new Map(),
        back: new Set(),
        dissolved: false,
      };
      for (const userId of userIds) {
        users.set(userId, last_seq_id);
        back.delete(userId);
      }
      left.set(conversationId, { users, back, dissolved });
    },
    hasLeftAfter(conversationId, seqId) {
      const found = left.get(conversationId);
      if (!found) return undefined;
      return (userId) => found.dissolved || seqId <= (found.users.get(userId) ?? 0);
    },
    isGone(conversationId, userId) {
      const found = left.get(conversationId);
      return found !== undefined && (found.dissolved || (found.users.has(userId) && !found.back.has(userId)));
    },
  };
}
