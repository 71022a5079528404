import { firstSeqOf } from '../model/conversation-state.ts';
import type { State } from '../model/input.ts';
import { asShown, type Outgoing, type ShownMessage } from '../model/outgoing.ts';
import type { Conversation, Member, Message } from '../wire/wire.ts';

export interface ConversationItem {
  readonly conversation: Conversation;
  readonly unreadCount: number;
  readonly lastMessage: Message | undefined;
  readonly draft: string;
}

/** A conversation as a screen shows it. Immutable; what has not changed keeps its identity. */
export interface RoomSnapshot {
  /** Undefined while the client does not know the conversation. */
  readonly conversation: Conversation | undefined;
  /** Consecutive messages, then what waits in the outbox. */
  readonly messages: readonly ShownMessage[];
  readonly hasOlder: boolean;
  readonly unreadCount: number;
  readonly firstUnreadSeq: number | undefined;
  /** Ids of the users who are typing. */
  readonly typing: readonly string[];
  /** Undefined until `loadMembers`. */
  readonly members: readonly Member[] | undefined;
  /** How far others have read, by user id, as far as it was told. */
  readonly reads: Readonly<Record<string, number>>;
  readonly draft: string;
}

const none: readonly never[] = [];
const noReads = {};

export function createViews(state: State) {
  const items = new Map<string, ConversationItem>();
  let list: readonly ConversationItem[] | undefined;
  const rooms = new Map<string, RoomSnapshot>();
  const shown = new WeakMap<Outgoing, ShownMessage>();
  const typing = new Map<string, readonly string[]>();
  const members = new Map<string, readonly Member[]>();

  function itemOf(conversation: Conversation): ConversationItem {
    const { id, unreadCount, lastMessage } = conversation;
    const draft = state.drafts.get(id) ?? '';
    const before = items.get(id);
    if (before?.conversation === conversation && before.draft === draft) return before;
    const item = { conversation, unreadCount, lastMessage, draft };
    items.set(id, item);
    return item;
  }

  function conversations(): readonly ConversationItem[] {
    list ??= [...state.conversations.values()]
      .filter(({ conversation }) => !conversation.hidden)
      .map(({ conversation }) => itemOf(conversation))
      .sort(byActivity);
    return list;
  }

  function outgoingOf(id: string): ShownMessage[] {
    const { me } = state;
    if (!me) return [];
    return state.outbox
      .filter(({ conversationId }) => conversationId === id)
      .map((one) => {
        const message = shown.get(one) ?? asShown(one, me);
        shown.set(one, message);
        return message;
      });
  }

  function room(id: string): RoomSnapshot {
    const before = rooms.get(id);
    if (before) return before;
    const known = state.conversations.get(id);
    const waiting = outgoingOf(id);
    const stored = known?.messages ?? none;
    const { unreadCount = 0, lastReadSeqId = 0 } = known?.conversation ?? {};
    const snapshot: RoomSnapshot = {
      conversation: known?.conversation,
      messages: waiting.length === 0 ? stored : [...stored, ...waiting],
      hasOlder: known !== undefined && firstSeqOf(known) > 1,
      unreadCount,
      firstUnreadSeq: unreadCount > 0 ? lastReadSeqId + 1 : undefined,
      typing: typing.get(id) ?? none,
      members: members.get(id),
      reads: known?.reads ?? noReads,
      draft: state.drafts.get(id) ?? '',
    };
    rooms.set(id, snapshot);
    return snapshot;
  }

  return {
    conversations,
    room,
    /** Says that a conversation may look different now. */
    changed(id: string): void {
      rooms.delete(id);
      if (!state.conversations.has(id)) items.delete(id);
      list = undefined;
    },
    setTyping(id: string, userIds: readonly string[]): void {
      if (userIds.length === 0) typing.delete(id);
      else typing.set(id, userIds);
      rooms.delete(id);
    },
    setMembers(id: string, all: readonly Member[]): void {
      members.set(id, all);
      rooms.delete(id);
    },
    /** Says that everything may look different now. */
    reset(): void {
      list = undefined;
      for (const all of [items, rooms, typing, members]) all.clear();
    },
  };
}

export type Views = ReturnType<typeof createViews>;

const activityOf = ({ conversation, lastMessage }: ConversationItem): number =>
  Math.max(conversation.updatedAt, lastMessage?.createdAt ?? 0);

/** Pinned ones first, then the latest activity. */
const byActivity = (a: ConversationItem, b: ConversationItem): number =>
  Number(b.conversation.pinned) - Number(a.conversation.pinned) ||
  activityOf(b) - activityOf(a) ||
  (a.conversation.id < b.conversation.id ? 1 : -1);
