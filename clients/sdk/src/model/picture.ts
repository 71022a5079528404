import type { Conversation, Message } from '../wire/wire.ts';
import {
  type ConversationState,
  countChange,
  isRecallUncertain,
  moveRead,
  newConversation,
  recall,
  receive,
  replaceMessage,
  withUnread,
} from './conversation-state.ts';
import type { Input, Outcome, State, SyncAnswer } from './input.ts';
import { type Outgoing, sendOf } from './outgoing.ts';

const maxGone = 1000;
/**
 * An answer may be so much newer than the newest known time of the server. Frames about a conversation that were made
 * before that are possibly part of the answer, and must not count twice.
 */
const answerMs = 5_000;

/** The changes of which all inputs are made up. Each notes in the outcome what it changed. */
export function createPicture(state: State, isOwnId: (clientMsgId: string) => boolean) {
  let outcome: Outcome = newOutcome();
  /** When conversations went away: a frame from before that must not bring one back. */
  const goneAt = new Map<string, number>();
  /** Conversations that the user left or joined: what changed in between was told to nobody here. */
  const rejoined = new Set<string>();
  /** Recalls in conversations that are not known yet. */
  const earlyRecalls = new Map<string, number[]>();
  /** The newest time of the server that a frame or an answer has told. */
  let latestAt = 0;

  const get = (id: string) => state.conversations.get(id);
  const myId = () => state.me?.id ?? '';

  function put(next: ConversationState): void {
    const { id } = next.conversation;
    if (get(id) === next) return;
    state.conversations.set(id, next);
    outcome.changed.add(id);
  }

  function update(id: string, change: (state: ConversationState) => ConversationState): void {
    const known = get(id);
    if (known) put(change(known));
  }

  function doubt(id: string): void {
    if (!state.uncertain.includes(id)) state.uncertain = [...state.uncertain, id];
  }

  function trust(id: string): void {
    if (state.uncertain.includes(id)) state.uncertain = state.uncertain.filter((one) => one !== id);
  }

  function remove(id: string, madeAt = latestAt): void {
    goneAt.set(id, madeAt);
    if (goneAt.size > maxGone) goneAt.delete([...goneAt.keys()][0] ?? '');
    trust(id);
    state.untoldReads.delete(id);
    rejoined.delete(id);
    earlyRecalls.delete(id);
    if (!state.conversations.delete(id)) return;
    outcome.changed.add(id);
    outcome.events.push(['conversation-removed', { conversationId: id }]);
  }

  /** Takes messages in. They are told, except to the client that sent them. */
  function take(id: string, messages: readonly Message[]): void {
    const known = get(id);
    if (!known) return;
    const { state: next, told } = receive(known, messages, myId());
    put(next);
    for (const message of told) {
      if (isOwn(message)) settle(message.clientMsgId, message);
      else outcome.events.push(['message', message]);
    }
    // A message may have been known before its acknowledgement, or come twice.
    for (const message of messages) if (isOwn(message)) settle(message.clientMsgId, message);
  }

  const isOwn = ({ sender, clientMsgId }: Message): boolean =>
    sender.id === myId() && (isOwnId(clientMsgId) || sendOf(state.outbox, clientMsgId) !== undefined);

  /** Takes a send that is stored out of the outbox. */
  function settle(clientMsgId: string, message: Message): void {
    const outgoing = sendOf(state.outbox, clientMsgId);
    if (!outgoing) return;
    dropOutgoing(outgoing);
    outcome.stored.push({ clientMsgId, message });
  }

  function dropOutgoing(outgoing: Outgoing): void {
    state.outbox = state.outbox.filter((one) => one !== outgoing);
    outcome.changed.add(outgoing.conversationId);
  }

  function changeOutgoing({ clientMsgId, status, failure }: Extract<Input, { type: 'send' }>): void {
    const outgoing = sendOf(state.outbox, clientMsgId);
    if (!outgoing) return;
    const { failure: _, ...rest } = outgoing;
    const next = { ...rest, status, ...(failure && { failure }) };
    state.outbox = state.outbox.map((one) => (one === outgoing ? next : one));
    outcome.changed.add(outgoing.conversationId);
  }

  /** Takes over a conversation as the server shows it to this user, but for what was read here and not told yet. */
  function adopt(conversation: Conversation, cursorIfNew = conversation.lastReadSeqId): void {
    const { id, lastMessage } = conversation;
    const known = get(id);
    const base = known ?? newConversation(conversation, cursorIfNew);
    const { cursor } = base;
    // What the client was told in the meantime is newer than this answer.
    const newest = known && cursor > conversation.lastSeqId ? known.conversation : undefined;
    const adopted: Conversation = {
      ...conversation,
      lastChangeSeq: Math.max(conversation.lastChangeSeq, base.conversation.lastChangeSeq),
      ...(newest && {
        lastSeqId: newest.lastSeqId,
        ...(newest.lastMessage && { lastMessage: newest.lastMessage }),
        unreadCount: newest.unreadCount,
        lastReadSeqId: Math.max(newest.lastReadSeqId, conversation.lastReadSeqId),
      }),
    };
    const recalledAhead = [...base.recalledAhead, ...(earlyRecalls.get(id) ?? [])];
    earlyRecalls.delete(id);
    put({ ...base, conversation: adopted, recalledAhead, frameAt: latestAt + answerMs });
    if (lastMessage) update(id, (one) => replaceMessage(one, lastMessage));
    const untold = state.untoldReads.get(id);
    if (untold !== undefined) update(id, (one) => moveRead(one, untold));
    outcome.events.push(['conversation', { conversation: get(id)?.conversation ?? conversation }]);
  }

  /** Lets go of the messages of a conversation that was left and joined again. */
  function startAnew(conversation: Conversation): void {
    const { id, lastReadSeqId } = conversation;
    const known = get(id);
    if (!rejoined.delete(id) || !known) return;
    put({ ...newConversation(conversation, Math.max(lastReadSeqId, known.cursor)), kept: known.kept });
  }

  /** The same from a frame, which may be outdated. */
  function adoptFrom(conversation: Conversation, madeAt = 0): void {
    const { id } = conversation;
    if (madeAt < (get(id)?.frameAt ?? 0) || madeAt <= (goneAt.get(id) ?? -1)) {
      doubt(id);
      return;
    }
    adopt(conversation);
    // It was made when the frame was, not later.
    update(id, (one) => ({ ...one, frameAt: madeAt }));
  }

  function synced({
    conversations,
    changes,
    recalled,
    removed,
    hasMore,
    partial,
    serverTime,
  }: SyncAnswer): void {
    latestAt = Math.max(latestAt, serverTime);
    // First of all, since the counts of unread messages below leave out what was recalled.
    for (const { conversationId, seqId } of recalled) recallOne(conversationId, seqId, 0);
    for (const { conversation, messages, reset } of conversations) {
      const { id, lastReadSeqId } = conversation;
      const known = get(id);
      if (!known || reset)
        put(beginning(conversation, messages, reset ? conversation.lastSeqId : lastReadSeqId));
      take(id, messages);
      adopt(conversation);
      trust(id);
    }
    for (const { conversationId, changeSeq, message } of changes) {
      changeOne(message, 0);
      update(conversationId, (one) => ({
        ...countChange(one, changeSeq),
        changeSeq: Math.max(changeSeq, one.changeSeq),
      }));
    }
    if (partial) return;
    if (!hasMore) {
      for (const { conversation } of conversations) {
        const { id, lastChangeSeq } = conversation;
        update(id, (one) => ({ ...one, changeSeq: Math.max(one.changeSeq, lastChangeSeq) }));
      }
    }
    for (const id of removed) remove(id, serverTime);
    state.since = serverTime;
  }

  /** A conversation of which the messages up to `toldUpTo` are history. Long history is read when somebody looks at it. */
  function beginning(
    conversation: Conversation,
    messages: readonly Message[],
    toldUpTo: number,
  ): ConversationState {
    const before = (messages[0]?.seqId ?? 1) - 1;
    const last = messages.at(-1)?.seqId ?? before;
    if (toldUpTo > last || toldUpTo < before) return newConversation(conversation, toldUpTo);
    const history = messages.filter(({ seqId }) => seqId <= toldUpTo);
    return receive(newConversation(conversation, before), history, myId()).state;
  }

  function recallOne(conversationId: string, seqId: number, madeAt: number, by?: string): void {
    const known = get(conversationId);
    if (!known) {
      if (by === undefined) return;
      earlyRecalls.set(conversationId, [...(earlyRecalls.get(conversationId) ?? []), seqId]);
      doubt(conversationId);
      return;
    }
    const { state: next, recalled } = recall(known, seqId);
    const isUnread = seqId > known.conversation.lastReadSeqId;
    // An answer that is newer than the recall has counted already.
    const counts = recalled && isUnread && madeAt > known.frameAt;
    put(counts ? withUnread(next, Math.max(0, next.conversation.unreadCount - 1)) : next);
    if (recalled && isUnread && !counts) doubt(conversationId);
    if (recalled) {
      outcome.events.push([
        'message-recalled',
        { conversationId, messageId: recalled.id, seqId, by: by ?? '' },
      ]);
    } else if (isRecallUncertain(known, seqId)) doubt(conversationId);
  }

  /** What a message is now, by its newest change. */
  function changeOne(message: Message, madeAt: number): void {
    const { conversationId: id, seqId, deleted } = message;
    if (deleted) recallOne(id, seqId, madeAt, '');
    const known = get(id);
    if (!known) return;
    if (seqId > known.cursor) take(id, [message]);
    else put(replaceMessage(known, message));
    if (!deleted) outcome.events.push(['message-changed', { conversationId: id, message }]);
  }

  return {
    changeOne,
    get,
    myId,
    put,
    update,
    doubt,
    trust,
    remove,
    take,
    settle,
    dropOutgoing,
    changeOutgoing,
    adopt,
    adoptFrom,
    startAnew,
    synced,
    recallOne,
    changed: (id: string) => void outcome.changed.add(id),
    tell: (...event: Outcome['events'][number]) => void outcome.events.push(event),
    /** Notes that a frame was made at this time of the server. */
    noteTime(madeAt: number): void {
      latestAt = Math.max(latestAt, madeAt);
    },
    /** Notes that the user left or joined a conversation. */
    noteRejoined: (id: string) => void rejoined.add(id),
    /** Runs a change and returns what it did. */
    during(change: () => void): Outcome {
      outcome = newOutcome();
      change();
      return outcome;
    },
  };
}

export type Picture = ReturnType<typeof createPicture>;

const newOutcome = (): Outcome => ({ changed: new Set(), events: [], stored: [] });
