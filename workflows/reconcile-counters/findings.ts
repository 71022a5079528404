/** What a run, or a part of one, has found. */
export type CounterFindings = {
  /** Conversations looked at. */
  checked: number;
  wrong: {
    /** Conversations whose member_count is not the number of their members. */
    memberCount: number;
    /** Conversations whose head is not at their last message. */
    head: number;
    /** Conversations whose last_message_id is not their head's. */
    lastMessage: number;
    /** Read pointers beyond the head. */
    readPointers: number;
    /** Messages that count as unread although they were recalled, or the other way round. */
    unread: number;
  };
  /** Conversations at which all is right now. */
  mended: number;
  /** The first of those at which something was wrong. */
  conversationIds: string[];
  /** Groups whose creation was given up half way, which nobody has ever seen: they are removed. Named if there are any. */
  unfinishedGroups?: number;
};

const mostConversationIds = 50;

export const noFindings = (): CounterFindings => ({
  checked: 0,
  wrong: { memberCount: 0, head: 0, lastMessage: 0, readPointers: 0, unread: 0 },
  mended: 0,
  conversationIds: [],
});

export const addFindings = (a: CounterFindings, b: CounterFindings): CounterFindings => ({
  checked: a.checked + b.checked,
  wrong: {
    memberCount: a.wrong.memberCount + b.wrong.memberCount,
    head: a.wrong.head + b.wrong.head,
    lastMessage: a.wrong.lastMessage + b.wrong.lastMessage,
    readPointers: a.wrong.readPointers + b.wrong.readPointers,
    unread: a.wrong.unread + b.wrong.unread,
  },
  mended: a.mended + b.mended,
  conversationIds: [...a.conversationIds, ...b.conversationIds].slice(0, mostConversationIds),
  ...unfinishedOf((a.unfinishedGroups ?? 0) + (b.unfinishedGroups ?? 0)),
});

const unfinishedOf = (unfinishedGroups: number) => (unfinishedGroups === 0 ? {} : { unfinishedGroups });
