import { chunks } from '../../../lib/chunks.ts';
import { fanoutMode } from '../../../lib/domain/enumerations.ts';
import type { SenderRead } from '../../../lib/gen/im_repo/v1/message.ts';
import { mustBeDelivered } from '../../../lib/records/saved-message.ts';
import { hasReceipts, maxSearchedMessages } from '../receipts/receipt-audience.ts';
import type { RecentSenders } from '../receipts/recent-senders.ts';
import type { Database } from '../storage/database.ts';
import type { Draft } from './message-draft.ts';
import { memberKey, type SavePlan, type SaveState } from './message-plan.ts';

/**
 * A sender's last message in a batch moves the sender's read pointer to that message, since sending implies reading.
 */
export type Read = {
  /** The index of that message in the batch. */
  index: number;
  conversationId: number;
  readerId: number;
  /** The newly read seq ids lie between `from` and `to`, both excluded. */
  from: number;
  to: number;
  /** The senders of the newly read messages, without the reader; undefined if they are not known yet. */
  senderIds: Set<number> | undefined;
};

export const toSenderRead = (read: Read): SenderRead => ({
  index: read.index,
  readerId: String(read.readerId),
  fromSeqId: read.from,
  toSeqId: read.to,
  senderIds: Array.from(read.senderIds ?? [], String),
  sendersKnown: read.senderIds !== undefined,
});

export const fromSenderRead = (read: SenderRead, conversationId: number): Read => ({
  index: read.index,
  conversationId,
  readerId: Number(read.readerId),
  from: read.fromSeqId,
  to: read.toSeqId,
  senderIds: read.sendersKnown ? new Set(read.senderIds.map(Number)) : undefined,
});

/**
 * Finds the moves of read pointers in a batch that other members may learn of. Their senders are known without a query
 * if this process stored the newly read messages. For a redelivered message, the sender's previous read pointer is not
 * known any more, so `from` is 0.
 */
export function planReads(
  drafts: readonly Draft[],
  state: SaveState,
  plan: SavePlan,
  recent: RecentSenders,
): Read[] {
  const reads = new Map<string, Read>();
  for (const draft of drafts) {
    const result = plan.results.get(draft.index);
    const { conversationId, senderId } = draft;
    if (result?.error !== 0 || !mustBeDelivered(result) || !hasDirectReceipts(conversationId, state, plan))
      continue;
    const key = memberKey(senderId, conversationId);
    const isStored = state.stored.has(draft.index);
    const from = isStored ? 0 : (reads.get(key)?.from ?? state.pointers.get(draft.index) ?? 0);
    reads.set(key, {
      index: draft.index,
      conversationId,
      readerId: senderId,
      from,
      to: result.seqId,
      senderIds: undefined,
    });
  }
  const rows = Map.groupBy(plan.rows, ({ draft }) => draft.conversationId);
  for (const read of reads.values()) {
    const stored = storedSenders(read, state, recent);
    if (!stored) continue;
    for (const { draft, seqId } of rows.get(read.conversationId) ?? []) {
      if (seqId > read.from && seqId < read.to) stored.add(draft.senderId);
    }
    stored.delete(read.readerId);
    read.senderIds = stored;
  }
  return [...reads.values()];
}

/** True if the conversation has read receipts and direct delivery. */
function hasDirectReceipts(conversationId: number, state: SaveState, plan: SavePlan): boolean {
  const conversation = state.conversations.get(conversationId);
  const head = plan.changedHeads.get(conversationId) ?? state.heads.get(conversationId);
  return conversation !== undefined && hasReceipts(conversation) && head?.fanout_mode === fanoutMode.off;
}

/**
 * The senders of the newly read messages that were stored before this batch; undefined if not all of them are known.
 */
function storedSenders(
  { conversationId, from, to }: Read,
  state: SaveState,
  recent: RecentSenders,
): Set<number> | undefined {
  const last = Math.min(state.heads.get(conversationId)?.last_seq_id ?? 0, to - 1);
  return from >= last ? new Set() : recent.between(conversationId, from + 1, last);
}

/**
 * Looks up the unknown senders in one round trip, or none if all are known. Runs after the commit, so that it holds no
 * locks. Reads of more than `maxSearchedMessages` messages keep unknown senders.
 */
export async function findSenders(database: Database, reads: readonly Read[]): Promise<void> {
  const unknown = reads.filter(({ senderIds, from, to }) => !senderIds && to - from <= maxSearchedMessages);
  if (unknown.length === 0) return;
  // One range of the messages' primary key per read.
  const ranges = unknown.map(
    ({ index, conversationId, from, to }) =>
      `(SELECT DISTINCT ${index} AS message, sender_id FROM messages
        WHERE conversation_id = ${conversationId} AND seq_id > ${from} AND seq_id < ${to})`,
  );
  const statements = chunks(ranges, rangesPerStatement).map((some) => some.join(' UNION ALL '));
  const results = (await database.batch(statements.join(';\n'))) as {
    message: number;
    sender_id: number;
  }[][];
  const found = Map.groupBy(results.flat(), ({ message }) => message);
  for (const read of unknown) {
    read.senderIds = new Set((found.get(read.index) ?? []).map(({ sender_id }) => sender_id));
    read.senderIds.delete(read.readerId);
  }
}

const rangesPerStatement = 200;
