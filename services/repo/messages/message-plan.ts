import { conversationStatus, conversationType, fanoutMode } from '../../../lib/domain/enumerations.ts';
import { limits } from '../../../lib/domain/limits.ts';
import { codeNumber, GoChatError } from '../../../lib/errors.ts';
import type { SavedMessage } from '../../../lib/gen/im_repo/v1/message.ts';
import { mustBeDelivered } from '../../../lib/records/saved-message.ts';
import {
  type WriteRefusal,
  writeError,
  writeRefusal,
  writeRefusals,
} from '../message-changes/write-access.ts';
import type { Draft } from './message-draft.ts';

/** What the first round trip of a save reads, under the locks of the heads. */
export type SaveState = {
  heads: Map<number, HeadRow>;
  conversations: Map<number, ConversationRow>;
  /** The senders' memberships, by the draft's index. */
  members: Map<number, MemberRow>;
  /** The rows of messages that are stored already, by the draft's index. */
  stored: Map<number, StoredRow>;
  /** The senders' read pointers, by the draft's index. */
  pointers: Map<number, number>;
};

export type HeadRow = {
  conversation_id: number;
  last_seq_id: number;
  last_message_id: number | null;
  last_change_seq: number;
  member_version: number;
  fanout_mode: number;
  fanout_done_seq: number;
  fanout_from_seq: number;
  /** Until this time archived messages may be sent again by their clients. */
  cold_ids_until: number;
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
  /** The results, by the draft's index. */
  results: Map<number, SavedMessage>;
  rows: NewRow[];
  /** The new values of the heads that change, by conversation id. */
  changedHeads: Map<number, HeadRow>;
  /** The senders of the messages to deliver, new or redelivered ones, by conversation id. */
  delivered: Map<number, Set<number>>;
  /** Conversations in fan-out mode with a redelivered message from before that mode, which is delivered directly. */
  direct: Set<number>;
  createdAt: number;
};

export const memberKey = (userId: number, conversationId: number): string => `${userId}:${conversationId}`;

/**
 * Decides for each draft: it is stored under the next seq id, answered with the row that is stored already, or refused.
 * An invalid draft does not affect the others.
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
    delivered: new Map(),
    direct: new Set(),
    createdAt,
  };
  const inBatch = new Map<string, SavedMessage>();

  for (const draft of drafts) {
    const key = `${draft.conversationId}:${draft.senderId}:${draft.clientMsgIdHex}`;
    const earlier = inBatch.get(key);
    const stored = state.stored.get(draft.index);
    const result = earlier
      ? { ...earlier, duplicate: true, undelivered: undefined }
      : stored
        ? answerStored(draft, stored, state, plan)
        : storeOrRefuse(draft, state, plan, nextId);
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
 * Marks a redelivered message for direct delivery if it was stored before its conversation entered fan-out mode, either
 * in this batch or in another one that was stored but not delivered. The fan-out starts after this message and would
 * skip it.
 */
function deliverDirectly(result: SavedMessage, draft: Draft, state: SaveState, plan: SavePlan): void {
  const head = plan.changedHeads.get(draft.conversationId) ?? state.heads.get(draft.conversationId);
  if (!mustBeDelivered(result) || head?.fanout_mode !== fanoutMode.on || result.seqId > head.fanout_from_seq)
    return;
  result.direct = true;
  plan.direct.add(draft.conversationId);
}

/**
 * Answers a draft whose message is stored already. The same source (Kafka partition and offset) is a redelivery: the
 * process that stored the message may have died before it delivered the message, so it is delivered again. Another
 * source is a retry by the client: it is acknowledged, and only to a member. A removed member learns nothing more about
 * the conversation, not even about its own messages. A retry is delivered only if its message was refused before it was
 * stored.
 */
function answerStored(draft: Draft, stored: StoredRow, state: SaveState, plan: SavePlan): SavedMessage {
  const { sourcePartition, sourceOffset } = draft.message;
  const redelivered =
    sourcePartition >= 0 &&
    stored.source_partition === sourcePartition &&
    stored.source_offset === sourceOffset;
  if (redelivered) noteDelivered(plan, draft);
  else if (state.conversations.get(draft.conversationId)?.status !== conversationStatus.active)
    return refusals.notFound;
  else if (!state.members.has(draft.index)) return refusals.notMember;
  const answer = saved(stored.id, stored.seq_id, stored.created_at, !redelivered);
  if (redelivered || !isRefusedRecord(draft, stored)) return answer;
  noteDelivered(plan, draft);
  return { ...answer, undelivered: true };
}

/** True if the message was stored by a save that was too late, so that its record was refused and not delivered. */
function isRefusedRecord({ message }: Draft, stored: StoredRow): boolean {
  const { refused, sourcePartition } = message;
  if (!refused || stored.source_partition !== sourcePartition) return false;
  return refused.offsets.includes(stored.source_offset);
}

/** Plans to store a new message under its conversation's next seq id, or refuses it. */
function storeOrRefuse(draft: Draft, state: SaveState, plan: SavePlan, nextId: () => number): SavedMessage {
  const head = plan.changedHeads.get(draft.conversationId) ?? state.heads.get(draft.conversationId);
  const conversation = state.conversations.get(draft.conversationId);
  const member = state.members.get(draft.index);
  const refused = refusal(draft, head, conversation, member);
  if (refused) return refused;
  if (!head || !conversation) throw new Error('a message was accepted for a conversation that has no head');

  const id = nextId();
  const next = plan.changedHeads.get(draft.conversationId) ?? enterOrLeaveFanout(head, conversation);
  next.last_seq_id += 1;
  next.last_message_id = id;
  plan.changedHeads.set(draft.conversationId, next);
  noteDelivered(plan, draft);
  plan.rows.push({ draft, id, seqId: next.last_seq_id });
  return saved(id, next.last_seq_id, plan.createdAt, false);
}

function noteDelivered({ delivered }: SavePlan, { conversationId, senderId }: Draft): void {
  const senders = delivered.get(conversationId);
  if (senders) senders.add(senderId);
  else delivered.set(conversationId, new Set([senderId]));
}

/**
 * Switches between direct delivery and fan-out mode where needed, and returns a copy of the head. The mode changes only
 * under the head's lock: the fan-out starts after the last seq id that was delivered directly, and direct delivery
 * starts only when the fan-out has caught up, so that the two never overlap.
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
  const refused = writeRefusal(head && conversation, member);
  if (refused !== undefined) return refusals[refused];
  const { replyToSeqId } = draft.message;
  // Seq ids have no gaps, so that each one up to the head exists.
  if (replyToSeqId !== undefined && replyToSeqId > (head?.last_seq_id ?? 0)) return refusals.reply;
  return undefined;
}

/** The result of a message that is refused with this error. */
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

const refusals = {
  ...(Object.fromEntries(writeRefusals.map((refusal) => [refusal, refusedBy(writeError(refusal))])) as Record<
    WriteRefusal,
    SavedMessage
  >),
  reply: refusedBy(new GoChatError('INVALID_ARGUMENT', 'replyToSeqId names no message.')),
};

/** The result of a message that is stored. */
export const saved = (
  messageId: number,
  seqId: number,
  createdAt: number,
  duplicate: boolean,
): SavedMessage => ({
  error: 0,
  errorMessage: '',
  messageId,
  seqId,
  createdAt,
  duplicate,
  direct: false,
  readFor: [],
});
