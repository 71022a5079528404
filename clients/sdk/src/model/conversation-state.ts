// Room: what the client knows, and how frames, answers and local actions change it. Only pure code: no I/O, no clock, no
// timers.

import type { Conversation, Message } from '../wire/wire.ts';

/** What the client knows of one conversation. Immutable: a change makes a new object, what is unchanged keeps its identity. */
export interface ConversationState {
  readonly conversation: Conversation;
  /** Consecutive messages in the order of their seqIds; the last one has the seqId `cursor`. */
  readonly messages: readonly Message[];
  /** The client has told of every message up to this seqId. */
  readonly cursor: number;
  /** The number of the last change of a message that the client knows: every change up to it has been applied. */
  readonly changeSeq: number;
  /** Messages after a hole, in the order of their seqIds. They wait until the hole is filled. */
  readonly ahead: readonly Message[];
  /** The seqIds of messages that were recalled before they arrived. */
  readonly recalledAhead: readonly number[];
  /** How many messages are kept when new ones arrive. Grows when older ones are loaded. */
  readonly kept: number;
  /** How far others have read, by user id. */
  readonly reads: Readonly<Record<string, number>>;
  /** When the newest frame or answer about the conversation itself was made; Unix milliseconds of the server. */
  readonly frameAt: number;
}

/** Messages per conversation that are kept in memory and stored for a start without network. */
export const usuallyKept = 200;

/** The seqId of the first message that the client holds; the next one to come if it holds none. */
export const firstSeqOf = ({ messages, cursor }: ConversationState): number =>
  messages[0]?.seqId ?? cursor + 1;

/** A conversation that becomes known: everything up to `cursor` counts as told. */
export function newConversation(conversation: Conversation, cursor: number): ConversationState {
  const { lastMessage } = conversation;
  return {
    conversation,
    messages: lastMessage?.seqId === cursor ? [lastMessage] : [],
    cursor,
    changeSeq: conversation.lastChangeSeq,
    ahead: [],
    recalledAhead: [],
    kept: usuallyKept,
    reads: {},
    frameAt: 0,
  };
}

/** Adds messages, which may come twice, out of order and with holes. `told` are those that are new and have no hole before them. */
export function receive(
  state: ConversationState,
  arrived: readonly Message[],
  myId: string,
): { state: ConversationState; told: readonly Message[] } {
  const fresh = arrived.filter(({ seqId }) => seqId > state.cursor);
  const old = arrived.filter(({ seqId }) => seqId <= state.cursor);
  const known = old.reduce(replaceMessage, state);
  if (fresh.length === 0) return { state: known, told: [] };
  const { recalledAhead } = state;
  const waiting = new Map(state.ahead.map((message) => [message.seqId, message]));
  for (const message of fresh) {
    const isRecalled = recalledAhead.includes(message.seqId) || waiting.get(message.seqId)?.deleted === true;
    const before = waiting.get(message.seqId);
    const newest = before && !isNewer(message, before) ? before : message;
    waiting.set(message.seqId, isRecalled ? asRecalled(newest) : newest);
  }
  const told: Message[] = [];
  let { cursor } = state;
  for (let next = waiting.get(cursor + 1); next; next = waiting.get(cursor + 1)) {
    told.push(next);
    waiting.delete(next.seqId);
    cursor = next.seqId;
  }
  const ahead = [...waiting.values()].sort((a, b) => a.seqId - b.seqId);
  if (told.length === 0) return { state: { ...known, ahead }, told };
  return {
    state: {
      ...known,
      conversation: told.reduce((before, message) => withMessage(before, message, myId), known.conversation),
      messages: [...known.messages, ...told].slice(-known.kept),
      cursor,
      ahead,
      recalledAhead: recalledAhead.filter((seqId) => seqId > cursor),
    },
    told,
  };
}

/** True if messages or changes are missing: the client holds later ones, or the conversation says so. */
export const hasHole = ({ ahead, cursor, changeSeq, conversation }: ConversationState): boolean =>
  ahead.length > 0 || conversation.lastSeqId > cursor || conversation.lastChangeSeq > changeSeq;

/** Counts a change. One that has others missing before it waits for them: a sync brings all of them. */
export function countChange(state: ConversationState, changeSeq: number): ConversationState {
  const lastChangeSeq = Math.max(changeSeq, state.conversation.lastChangeSeq);
  const conversation = { ...state.conversation, lastChangeSeq };
  return {
    ...state,
    conversation,
    changeSeq: changeSeq === state.changeSeq + 1 ? changeSeq : state.changeSeq,
  };
}

/** The conversation after its next message. Sending is reading: the sender's read pointer moves along. */
function withMessage(conversation: Conversation, message: Message, myId: string): Conversation {
  const { seqId, sender, deleted, createdAt } = message;
  const counts = seqId > conversation.lastReadSeqId && !deleted && seqId > conversation.lastSeqId;
  return {
    ...conversation,
    lastSeqId: Math.max(conversation.lastSeqId, seqId),
    ...(seqId >= conversation.lastSeqId ? { lastMessage: message, hidden: false } : {}),
    updatedAt: Math.max(conversation.updatedAt, createdAt),
    ...(sender.id === myId && seqId >= conversation.lastSeqId
      ? { lastReadSeqId: Math.max(seqId, conversation.lastReadSeqId), unreadCount: 0 }
      : { unreadCount: conversation.unreadCount + (counts ? 1 : 0) }),
  };
}

/** Puts a version of a message in the place of the one that the client holds, unless that one is newer. */
export function replaceMessage(state: ConversationState, message: Message): ConversationState {
  const index = state.messages.findIndex(({ seqId }) => seqId === message.seqId);
  const held = state.messages[index];
  const { lastMessage } = state.conversation;
  const isLast = lastMessage?.seqId === message.seqId && isNewer(message, lastMessage);
  const isHeld = held !== undefined && isNewer(message, held);
  if (!isLast && !isHeld) return state;
  return {
    ...state,
    ...(isHeld ? { messages: state.messages.with(index, message) } : {}),
    ...(isLast ? { conversation: { ...state.conversation, lastMessage: message } } : {}),
  };
}

/** A recalled message stays recalled, whatever arrives later. */
const isNewer = (message: Message, held: Message): boolean =>
  message.deleted === held.deleted ? message.changeSeq > held.changeSeq : message.deleted;

/** The message as everybody sees it once it was recalled: its place stays, its content is gone. */
function asRecalled(message: Message): Message {
  if (message.deleted) return message;
  const { metadata: _, reactions: __, pinned: ___, ...rest } = message;
  return { ...rest, content: '', deleted: true };
}

/** Recalls a message. `recalled` is the message if the client holds it and did not know. The unread count stays as it is. */
export function recall(
  state: ConversationState,
  seqId: number,
): { state: ConversationState; recalled: Message | undefined } {
  if (seqId > state.cursor) {
    if (state.recalledAhead.includes(seqId)) return { state, recalled: undefined };
    const ahead = state.ahead.map((message) => (message.seqId === seqId ? asRecalled(message) : message));
    return {
      state: { ...state, ahead, recalledAhead: [...state.recalledAhead, seqId] },
      recalled: undefined,
    };
  }
  const last = state.conversation.lastMessage;
  const held =
    state.messages.find((one) => one.seqId === seqId) ?? (last?.seqId === seqId ? last : undefined);
  if (!held || held.deleted) return { state, recalled: undefined };
  const recalled = asRecalled(held);
  return { state: replaceMessage(state, recalled), recalled };
}

/** True if the client can't know whether a recall changes its unread count, because it does not hold the message. */
export const isRecallUncertain = (
  { conversation, messages, cursor }: ConversationState,
  seqId: number,
): boolean =>
  seqId > conversation.lastReadSeqId && seqId <= cursor && !messages.some((one) => one.seqId === seqId);

/** Moves the own read pointer forward, never back. */
export function moveRead(state: ConversationState, seqId: number): ConversationState {
  const { conversation, messages, cursor } = state;
  if (seqId <= conversation.lastReadSeqId) return state;
  const isCovered = firstSeqOf(state) <= seqId + 1 && cursor === conversation.lastSeqId;
  const unreadCount =
    seqId >= conversation.lastSeqId
      ? 0
      : isCovered
        ? messages.filter((message) => message.seqId > seqId && !message.deleted).length
        : Math.max(0, conversation.unreadCount - (seqId - conversation.lastReadSeqId));
  return { ...state, conversation: { ...conversation, lastReadSeqId: seqId, unreadCount } };
}

export const withUnread = (state: ConversationState, unreadCount: number): ConversationState => ({
  ...state,
  conversation: { ...state.conversation, unreadCount },
});

/** Records how far somebody else has read. */
export const otherRead = (state: ConversationState, userId: string, seqId: number): ConversationState =>
  seqId <= (state.reads[userId] ?? 0) ? state : { ...state, reads: { ...state.reads, [userId]: seqId } };

/** Puts a page of older messages before those that the client holds, if it fits without a hole. */
export function addOlder(state: ConversationState, page: readonly Message[]): ConversationState {
  const first = firstSeqOf(state);
  const older = page.filter(({ seqId }) => seqId < first);
  if (older.at(-1)?.seqId !== first - 1) return state;
  return {
    ...state,
    messages: [...older, ...state.messages],
    kept: Math.max(usuallyKept, older.length + state.messages.length),
  };
}

/** Lets go of the older messages that were loaded. */
export const trim = (state: ConversationState): ConversationState =>
  state.kept === usuallyKept
    ? state
    : { ...state, kept: usuallyKept, messages: state.messages.slice(-usuallyKept) };
