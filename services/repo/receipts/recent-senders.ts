import { LRUCache } from 'lru-cache';

export type RecentSenders = {
  /** The senders of the messages from `first` to `last`, both included; undefined if not all of them are known here. */
  between(conversationId: number, first: number, last: number): Set<number> | undefined;
  /** Adds the senders of consecutive messages, the first with seq id `first`. Call it after the commit. */
  note(conversationId: number, first: number, senderIds: readonly number[]): void;
};

/** Senders kept per conversation. A run is trimmed to this length when it is more than twice as long. */
const keptMessages = 128;
const maxConversations = 10_000;

/** Senders of consecutive messages, the last with seq id `last`. */
type Run = { last: number; senderIds: number[] };

/**
 * Remembers the senders of each conversation's newest messages, as far as this process stored them. If another process
 * stored messages in between, the seq ids have a gap: the run then starts again after the gap, so that no answer is
 * incomplete.
 */
export function createRecentSenders(): RecentSenders {
  const runs = new LRUCache<number, Run>({ max: maxConversations });
  return {
    between(conversationId, first, last) {
      const run = runs.get(conversationId);
      if (!run || last > run.last) return undefined;
      const begin = run.last - run.senderIds.length + 1;
      return first < begin ? undefined : new Set(run.senderIds.slice(first - begin, last - begin + 1));
    },

    note(conversationId, first, senderIds) {
      const last = first + senderIds.length - 1;
      const run = runs.get(conversationId);
      // Two saves of one conversation commit in the order of their seq ids, but may call this function in any order.
      if (run && run.last >= last) return;
      if (run?.last !== first - 1) {
        runs.set(conversationId, { last, senderIds: senderIds.slice(-keptMessages) });
        return;
      }
      run.last = last;
      run.senderIds.push(...senderIds);
      if (run.senderIds.length > 2 * keptMessages)
        run.senderIds.splice(0, run.senderIds.length - keptMessages);
    },
  };
}
