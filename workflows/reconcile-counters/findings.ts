/** The findings of a run, or of some of its pages. */
export type CounterFindings = {
  /** Compared conversations. */
  checked: number;
  wrong: {
    /** Conversations whose member_count differs from the number of their members. */
    memberCount: number;
    /** Conversations whose head is not the seq id of their last message. */
    head: number;
    /** Conversations whose last_message_id is not the id of the message at their head. */
    lastMessage: number;
    /** Read pointers beyond the head. */
    readPointers: number;
    /** Messages that count as unread although they are recalled, or that wrongly do not count. */
    unread: number;
  };
  /** Conversations that were repaired. */
  mended: number;
  /** The ids of the first 50 conversations with a wrong value. */
  conversationIds: string[];
  /**
   * Groups that were removed because their creation was abandoned; no member ever saw them. Undefined if there are
   * none.
   */
  unfinishedGroups?: number;
};

const maxConversationIds = 50;

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
  conversationIds: [...a.conversationIds, ...b.conversationIds].slice(0, maxConversationIds),
  ...unfinishedOf((a.unfinishedGroups ?? 0) + (b.unfinishedGroups ?? 0)),
});

const unfinishedOf = (unfinishedGroups: number) => (unfinishedGroups === 0 ? {} : { unfinishedGroups });
