import {
  conversationStatus,
  conversationType,
  fanoutMode,
  memberRole,
  sendState,
} from '../../../lib/domain/enumerations.ts';
import { limits } from '../../../lib/domain/limits.ts';
import { codeNumber, GoChatError } from '../../../lib/errors.ts';
import type { SavedMessage } from '../../../lib/gen/im_repo/v1/message.ts';
import { isTrue } from '../storage/sql.ts';
import type { Draft } from './message-draft.ts';

/** What the first round trip read, under the locks of the heads. */
export type SaveState = {
  heads: Map<number, HeadRow>;
  conversations: Map<number, ConversationRow>;
  /** The senders' memberships, by the draft's index. */
  members: Map<number, MemberRow>;
  /** What is stored already, by the draft's index. */
  stored: Map<number, StoredRow>;
  /** How far the senders have read, by the draft's index. */
  pointers: Map<number, number>;
};

export type HeadRow = {
  conversation_id: number;
  last_seq_id: number;
  last_message_id: number | null;
  member_version: number;
  fanout_mode: number;
  fanout_done_seq: number;
  fanout_from_seq: number;
};

export type ConversationRow = {
  type: number;
  status: number;
  member_count: number;
  mute_all: number;
  send_state: number;
  updated_at: number;
};

export type MemberRow = { role: number; muted: number };

export type StoredRow = {
  id: number;
  seq_id: number;
  source_partition: number;
  source_offset: number;
  created_at: number;
};

export type NewRow = { draft: Draft; id: number; seqId: number };

export type SavePlan = {
  /** By the draft's index. */
  results: Map<number, SavedMessage>;
  rows: NewRow[];
  /** Heads as they are to be; only those that changed. */
  changedHeads: Map<number, HeadRow>;
  /** Conversations whose messages are to be delivered (again). */
  delivered: Set<number>;
  /** Those of them where a message of before the fan-out goes directly. */
  direct: Set<number>;
  createdAt: number;
};

export const memberKey = (userId: number, conversationId: number): string => `${userId}:${conversationId}`;

/**
 * Decides what becomes of each draft: stored under the next seq id, answered with what is stored already, or
 * refused. One bad draft never harms another.
 */
export function planSave(
  drafts: readonly Draft[],
  state: SaveState,
  nextId: () => number,
  createdAt: number,
): SavePlan {
  const plan: SavePlan = {
    results: new Map(),
    rows: [],
    changedHeads: new Map(),
    delivered: new Set(),
    direct: new Set(),
    createdAt,
  };
  const inBatch = new Map<string, SavedMessage>();

  for (const draft of drafts) {
    const key = `${draft.conversationId}:${draft.senderId}:${draft.clientMsgIdHex}`;
    const earlier = inBatch.get(key);
    const stored = state.stored.get(draft.index);
    const result = earlier
      ? { ...earlier, duplicate: true }
      : stored
        ? storedBefore(draft, stored, state, plan)
        : place(draft, state, plan, nextId);
    plan.results.set(draft.index, result);
    if (result.error === 0) inBatch.set(key, result);
  }
  for (const draft of drafts) {
    const result = plan.results.get(draft.index);
    if (result && state.stored.has(draft.index)) deliverDirectly(result, draft, state, plan);
  }
  return plan;
}

/**
 * A redelivered message that was stored for direct delivery goes directly, also where the conversation has gone over to
 * fan-out since: in this batch, or in one that was stored and not delivered either. Fan-out begins behind it.
 */
function deliverDirectly(result: SavedMessage, draft: Draft, state: SaveState, plan: SavePlan): void {
  const head = plan.changedHeads.get(draft.conversationId) ?? state.heads.get(draft.conversationId);
  if (result.duplicate || head?.fanout_mode !== fanoutMode.on || result.seqId > head.fanout_from_seq) return;
  result.direct = true;
  plan.direct.add(draft.conversationId);
}

/**
 * The same source again is a redelivery: whoever stored it died before it was delivered, so it is delivered (again).
 * Another source is the client's retry: it is only acknowledged, and only to a member. Whoever was removed learns
 * nothing more of the conversation, not even what it once said there.
 */
function storedBefore(draft: Draft, stored: StoredRow, state: SaveState, plan: SavePlan): SavedMessage {
  const { sourcePartition, sourceOffset } = draft.message;
  const redelivered =
    sourcePartition >= 0 &&
    stored.source_partition === sourcePartition &&
    stored.source_offset === sourceOffset;
  if (redelivered) plan.delivered.add(draft.conversationId);
  else if (state.conversations.get(draft.conversationId)?.status !== conversationStatus.active)
    return refusals.notFound;
  else if (!state.members.has(draft.index)) return refusals.notMember;
  return saved(stored.id, stored.seq_id, stored.created_at, !redelivered);
}

function place(draft: Draft, state: SaveState, plan: SavePlan, nextId: () => number): SavedMessage {
  const head = plan.changedHeads.get(draft.conversationId) ?? state.heads.get(draft.conversationId);
  const conversation = state.conversations.get(draft.conversationId);
  const member = state.members.get(draft.index);
  const refused = refusal(draft, head, conversation, member);
  if (refused) return refused;
  if (!head || !conversation) throw new Error('a conversation without a head was accepted');

  const id = nextId();
  const next = plan.changedHeads.get(draft.conversationId) ?? enterOrLeaveFanout(head, conversation);
  next.last_seq_id += 1;
  next.last_message_id = id;
  plan.changedHeads.set(draft.conversationId, next);
  plan.delivered.add(draft.conversationId);
  plan.rows.push({ draft, id, seqId: next.last_seq_id });
  return saved(id, next.last_seq_id, plan.createdAt, false);
}

/**
 * The way that messages from here on take. It changes only under the head's lock: into fan-out from the seq that was
 * the last one delivered directly, and out of it only when fan-out has caught up, so that the two ways never overlap.
 */
function enterOrLeaveFanout(head: HeadRow, { type, member_count }: ConversationRow): HeadRow {
  const large = type === conversationType.world || member_count > limits.directMembers;
  if (large && head.fanout_mode === fanoutMode.off) {
    const from = head.last_seq_id;
    return { ...head, fanout_mode: fanoutMode.on, fanout_done_seq: from, fanout_from_seq: from };
  }
  if (!large && head.fanout_mode === fanoutMode.on && head.fanout_done_seq >= head.last_seq_id) {
    return { ...head, fanout_mode: fanoutMode.off };
  }
  return { ...head };
}

function refusal(
  draft: Draft,
  head: HeadRow | undefined,
  conversation: ConversationRow | undefined,
  member: MemberRow | undefined,
): SavedMessage | undefined {
  if (!head || conversation?.status !== conversationStatus.active) return refusals.notFound;
  if (!member) return refusals.notMember;
  if (conversation.type === conversationType.single && conversation.send_state === sendState.notFriends)
    return refusals.notFriends;
  if (conversation.type === conversationType.single && conversation.send_state === sendState.blocked)
    return refusals.blocked;
  const silenced = isTrue(conversation.mute_all) && member.role === memberRole.member;
  if (isTrue(member.muted) || silenced) return refusals.muted;
  const { replyToSeqId } = draft.message;
  // Seqs have no gaps: every one up to the head exists.
  if (replyToSeqId !== undefined && replyToSeqId > head.last_seq_id) return refusals.reply;
  return undefined;
}

/** How an error stands among the results of a batch. */
export const refusedBy = (error: GoChatError): SavedMessage => ({
  error: codeNumber(error.code),
  errorMessage: error.message,
  messageId: 0,
  seqId: 0,
  createdAt: 0,
  duplicate: false,
  direct: false,
  readFor: [],
});

const refuse = (...[code, message]: ConstructorParameters<typeof GoChatError>): SavedMessage =>
  refusedBy(new GoChatError(code, message));

const refusals = {
  notFound: refuse('CONVERSATION_NOT_FOUND', 'There is no such conversation.'),
  notMember: refuse('NOT_CONVERSATION_MEMBER', 'You are not a member of this conversation.'),
  notFriends: refuse('NOT_FRIENDS', 'You are not friends (any more).'),
  blocked: refuse('BLOCKED', 'One of you has blocked the other.'),
  muted: refuse('MEMBER_MUTED', 'You are muted in this conversation.'),
  reply: refuse('INVALID_ARGUMENT', 'replyToSeqId names no message.'),
};

const saved = (messageId: number, seqId: number, createdAt: number, duplicate: boolean): SavedMessage => ({
  error: 0,
  errorMessage: '',
  messageId,
  seqId,
  createdAt,
  duplicate,
  direct: false,
  readFor: [],
});
