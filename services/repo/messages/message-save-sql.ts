import { chunks } from '../../../lib/chunks.ts';
import { insertEvents, storedEvents } from '../outbox/outbox.ts';
import { messageExtra } from '../rows/message-rows.ts';
import { databaseTime } from '../storage/change-time.ts';
import { literal, type Transaction } from '../storage/database.ts';
import { idsPerList, rowsPerTable, rowsTable } from '../storage/sql.ts';
import type { Draft } from './message-draft.ts';
import { referencesOf } from './message-files.ts';
import {
  type ConversationRow,
  type HeadRow,
  type MemberRow,
  memberKey,
  type SavePlan,
  type SaveState,
  type StoredRow,
} from './message-plan.ts';

/**
 * The first round trip: locks the heads in the order of their ids and reads their conversations, then reads the rows
 * that decide about the drafts. Nobody can change these rows while the heads are locked. Every lookup uses a whole key.
 */
export function readStatements(drafts: readonly Draft[]): string {
  const conversationIds = [...new Set(drafts.map((draft) => draft.conversationId))].sort((a, b) => a - b);
  const keys = drafts.map((draft) => [
    draft.index,
    draft.conversationId,
    draft.senderId,
    Buffer.from(draft.clientMsgIdHex, 'hex'),
  ]);
  return [
    // The primary key is forced: a scan would wait for locks on other rows. LEFT JOIN: the head is locked first.
    ...chunks(conversationIds, idsPerList).map(
      (ids) =>
        `SELECT h.conversation_id, h.last_seq_id, h.last_message_id, h.last_change_seq, h.member_version, h.fanout_mode,
           h.fanout_done_seq, h.fanout_from_seq, h.cold_ids_until, c.type, c.status, c.member_count, c.mute_all, c.send_state, c.updated_at
         FROM conversation_heads h FORCE INDEX (PRIMARY)
         LEFT JOIN conversations c ON c.id = h.conversation_id
         WHERE h.conversation_id IN (${ids}) ORDER BY h.conversation_id FOR UPDATE`,
    ),
    // Indexes: the primary keys of conversation_members and user_read_pointers, messages_client_msg_id.
    `SELECT k.n AS draft, p.role, p.muted, r.last_read_seq_id AS pointer, m.id, m.seq_id, m.source_partition, m.source_offset, m.created_at
     FROM ${rowsTable(['n', 'c', 's', 'i'], keys)} k
     LEFT JOIN conversation_members p ON p.user_id = k.s AND p.conversation_id = k.c
     LEFT JOIN user_read_pointers r ON r.user_id = k.s AND r.conversation_id = k.c
     LEFT JOIN messages m
       ON m.conversation_id = k.c AND m.sender_id = k.s AND m.client_msg_id = k.i`,
  ].join(';\n');
}

type LookupRow = { draft: number; pointer: number | null } & (MemberRow | { role: null }) &
  (StoredRow | { id: null });

/** Parses the results of `readStatements`. */
export function readState(results: readonly unknown[]): SaveState {
  const heads = new Map<number, HeadRow>();
  const conversations = new Map<number, ConversationRow>();
  for (const row of results.slice(0, -1).flat() as (HeadRow & (ConversationRow | { type: null }))[]) {
    heads.set(row.conversation_id, row);
    if (row.type !== null) conversations.set(row.conversation_id, row);
  }
  const members = new Map<number, MemberRow>();
  const stored = new Map<number, StoredRow>();
  const pointers = new Map<number, number>();
  for (const row of results.at(-1) as LookupRow[]) {
    if (row.role !== null) members.set(row.draft, row);
    if (row.id !== null) stored.set(row.draft, row);
    if (row.pointer !== null) pointers.set(row.draft, row.pointer);
  }
  return { heads, conversations, members, stored, pointers };
}

/** True if no upstream record brought the message: then nobody but im-repo tells other systems that it is stored. */
export const hasNoSource = ({ message }: Draft): boolean => message.sourcePartition < 0;

/**
 * The second round trip, without the commit: one statement per table. The plan must have rows. Messages without an
 * upstream record bring an event to the outbox.
 */
export function writeStatements({ rows, changedHeads, createdAt }: SavePlan): string {
  const messages = rows.map(({ draft, id, seqId }) => {
    const { message } = draft;
    const extra = messageExtra(message);
    return `(${draft.conversationId},${seqId},${id},${draft.senderId},${message.messageType},${literal(message.content)},X'${draft.clientMsgIdHex}',${message.sourcePartition},${message.sourceOffset},${extra === null ? 'NULL' : literal(extra)},${createdAt})`;
  });
  const heads = [...changedHeads.values()].map(
    (head) =>
      `(${head.conversation_id},${head.last_seq_id},${head.last_message_id},${head.member_version},${head.fanout_mode},${head.fanout_done_seq},${head.fanout_from_seq})`,
  );
  // Sending a message moves the sender's read pointer to it. Every writer takes pointers in the order of their key.
  const pointers = [
    ...new Map(
      rows.map(({ draft, seqId }) => [
        memberKey(draft.senderId, draft.conversationId),
        { userId: draft.senderId, conversationId: draft.conversationId, seqId },
      ]),
    ).values(),
  ].sort((a, b) => a.userId - b.userId || a.conversationId - b.conversationId);
  const events = storedEvents(
    rows.flatMap(({ draft, seqId }) =>
      hasNoSource(draft) ? [{ conversationId: draft.message.conversationId, seqId }] : [],
    ),
  );
  return [
    `INSERT INTO messages (conversation_id, seq_id, id, sender_id, message_type, content, client_msg_id,
       source_partition, source_offset, extra, created_at)
     VALUES ${messages}`,
    `INSERT INTO conversation_heads
       (conversation_id, last_seq_id, last_message_id, member_version, fanout_mode, fanout_done_seq,
        fanout_from_seq)
     VALUES ${heads}
     ON DUPLICATE KEY UPDATE last_seq_id = VALUES(last_seq_id), last_message_id = VALUES(last_message_id),
       fanout_mode = VALUES(fanout_mode), fanout_done_seq = VALUES(fanout_done_seq),
       fanout_from_seq = VALUES(fanout_from_seq)`,
    `UPDATE conversations c JOIN conversation_heads h ON h.conversation_id = c.id
     SET c.last_message_id = h.last_message_id, c.updated_at = GREATEST(c.updated_at, ${createdAt})
     WHERE c.id IN (${[...changedHeads.keys()]})`,
    `INSERT INTO user_read_pointers (user_id, conversation_id, last_read_seq_id, updated_at)
     VALUES ${pointers.map((row) => `(${row.userId},${row.conversationId},${row.seqId},${databaseTime})`)}
     ON DUPLICATE KEY UPDATE
       updated_at = IF(VALUES(last_read_seq_id) > last_read_seq_id, VALUES(updated_at), updated_at),
       last_read_seq_id = GREATEST(last_read_seq_id, VALUES(last_read_seq_id))`,
    ...(events.length > 0 ? [insertEvents(events)] : []),
    ...referencesOf(rows),
  ].join(';\n');
}

/** True if a message of these conversations that was archived lately may be sent again: not if only old ones are archived. */
export const mayBeArchived = ({ heads }: SaveState): boolean => {
  for (const { cold_ids_until } of heads.values()) if (cold_ids_until > Date.now()) return true;
  return false;
};

/** Adds to the state the drafts that are archived already, so that these are answered with their first messages. */
export async function findArchived(
  tx: Transaction,
  drafts: readonly Draft[],
  { stored }: SaveState,
): Promise<void> {
  const keys = drafts
    .filter(({ index }) => !stored.has(index))
    .map((draft) => [
      draft.index,
      draft.conversationId,
      draft.senderId,
      Buffer.from(draft.clientMsgIdHex, 'hex'),
    ]);
  if (keys.length === 0) return;
  const statements = chunks(keys, rowsPerTable).map(
    // Index: the primary key of cold_client_msg_ids.
    (some) =>
      `SELECT k.n AS draft, i.id, i.seq_id, i.source_partition, i.source_offset, i.created_at
       FROM ${rowsTable(['n', 'c', 's', 'i'], some)} k
       STRAIGHT_JOIN cold_client_msg_ids i
         ON i.conversation_id = k.c AND i.sender_id = k.s AND i.client_msg_id = k.i`,
  );
  const results = (await tx.batch(statements.join(';\n'))) as ({ draft: number } & StoredRow)[][];
  for (const { draft, ...row } of results.flat()) stored.set(draft, row);
}
