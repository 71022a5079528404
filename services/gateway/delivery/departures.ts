import { LRUCache } from 'lru-cache';
import type { DownstreamEvent } from '../../../lib/kafka/records.ts';

export type Departures = {
  /** Takes notice of an event that was delivered: who left a conversation, and after which message. */
  note(event: DownstreamEvent): void;
  /** Who may not get a message of a conversation any more; undefined when nobody left lately. */
  from(conversationId: string, seqId: number): ((userId: string) => boolean) | undefined;
  /** Whether somebody left lately, and was not added since. */
  isGone(conversationId: string, userId: string): boolean;
};

/** More than a fan-out lags behind. */
const keptMs = 10 * 60_000;
const mostUsers = 100_000;

/** After which message each left; of those who are back, too. */
type Left = { users: Map<string, number>; back: Set<string>; dissolved: boolean };

/**
 * Who left which conversation. In large groups member-removed comes directly, while messages from before may still be
 * on their way through the pages of the fan-out: they must not come after it. Later messages are not addressed to
 * whoever left, and reach whoever was added again.
 */
export function createDepartures(): Departures {
  const left = new LRUCache<string, Left>({
    ttl: keptMs,
    maxSize: mostUsers,
    sizeCalculation: ({ users }) => users.size + 1,
  });

  return {
    note({ frame, data, last_seq_id }) {
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
    from(conversationId, seqId) {
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
