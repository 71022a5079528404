import { LRUCache } from 'lru-cache';

export type RecentSenders = {
  /** Who wrote the messages from `first` to `last`; undefined where this process does not know all of them. */
  between(conversationId: number, first: number, last: number): Set<number> | undefined;
  /** Notes who wrote the messages from `first` on, in their order. Only of what is committed. */
  note(conversationId: number, first: number, senderIds: readonly number[]): void;
};

/** Messages of a conversation that are known at least; at most twice as many are kept. */
const kept = 128;
const mostConversations = 10_000;

type Run = { last: number; senderIds: number[] };

/**
 * Who wrote the newest messages of a conversation, as far as this process stored them itself. Another process may have
 * stored messages in between: a run of seq ids with a gap begins anew behind it, so that what is answered is right.
 */
export function createRecentSenders(): RecentSenders {
  const runs = new LRUCache<number, Run>({ max: mostConversations });
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
      // Two saves of one conversation commit in the order of their seq ids, but may be heard of in another one.
      if (run && run.last >= last) return;
      if (run?.last !== first - 1) {
        runs.set(conversationId, { last, senderIds: senderIds.slice(-kept) });
        return;
      }
      run.last = last;
      run.senderIds.push(...senderIds);
      if (run.senderIds.length > 2 * kept) run.senderIds.splice(0, run.senderIds.length - kept);
    },
  };
}
