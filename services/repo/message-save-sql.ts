import { chunks } from './cache.ts';
import { literal } from './database.ts';
import type { Draft } from './message-draft.ts';
import {
  type ConversationRow,
  type HeadRow,
  type MemberRow,
  memberKey,
  type SavePlan,
  type SaveState,
  type StoredRow,
} from './message-plan.ts';
import { messageExtra } from './message-rows.ts';

/** MariaDB turns longer lists into subqueries, which would take the locks in another order. */
const idsAList = 500;

/**
 * The first round trip: heads locked in the order of their ids, then what decides about the drafts, which nobody can
 * change while the heads are locked. Every lookup uses a whole key.
 */
export function readStatements(drafts: readonly Draft[]): string {
  const conversationIds = [...new Set(drafts.map((draft) => draft.conversationId))].sort((a, b) => a - b);
  const pairs = new Map(
    drafts.map((draft) => [
      memberKey(draft.senderId, draft.conversationId),
      [draft.senderId, draft.conversationId],
    ]),
  );
  const keys = drafts.map((draft) => [
    draft.index,
    draft.conversationId,
    draft.senderId,
    draft.clientMsgIdHex,
  ]);
  return [
    // Primary key, forced: a scan would wait for rows of others.
    ...chunks(conversationIds, idsAList).map(
      (ids) =>
        `SELECT conversation_id, last_seq_id, last_message_id, member_version, fanout_mode, fanout_done_seq
         FROM conversation_heads FORCE INDEX (PRIMARY)
         WHERE conversation_id IN (${ids}) ORDER BY conversation_id FOR UPDATE`,
    ),
    ...chunks(conversationIds, idsAList).map(
      (ids) =>
        `SELECT id, type, status, member_count, mute_all, send_state, updated_at
         FROM conversations WHERE id IN (${ids})`,
    ),
    `SELECT m.user_id, m.conversation_id, m.role, m.muted
     FROM JSON_TABLE('${JSON.stringify([...pairs.values()])}', '$[*]'
       COLUMNS (u BIGINT PATH '$[0]', c BIGINT PATH '$[1]')) k
     STRAIGHT_JOIN conversation_members m ON m.user_id = k.u AND m.conversation_id = k.c`,
    // Index: messages_client_msg_id.
    `SELECT k.n AS draft, m.id, m.seq_id, m.source_partition, m.source_offset, m.created_at
     FROM JSON_TABLE('${JSON.stringify(keys)}', '$[*]'
       COLUMNS (n INT PATH '$[0]', c BIGINT PATH '$[1]', s BIGINT PATH '$[2]', i VARCHAR(128) PATH '$[3]')) k
     STRAIGHT_JOIN messages m
       ON m.conversation_id = k.c AND m.sender_id = k.s AND m.client_msg_id = UNHEX(k.i)`,
  ].join(';\n');
}

/** The results of `readStatements`. */
export function readState(drafts: readonly Draft[], results: readonly unknown[]): SaveState {
  const lists = Math.ceil(new Set(drafts.map((draft) => draft.conversationId)).size / idsAList);
  const heads = results.slice(0, lists).flat() as HeadRow[];
  const conversations = results.slice(lists, 2 * lists).flat() as ConversationRow[];
  const members = results[2 * lists] as MemberRow[];
  const stored = results[2 * lists + 1] as StoredRow[];
  return {
    heads: new Map(heads.map((row) => [row.conversation_id, row])),
    conversations: new Map(conversations.map((row) => [row.id, row])),
    members: new Map(members.map((row) => [memberKey(row.user_id, row.conversation_id), row])),
    stored: new Map(stored.map((row) => [row.draft, row])),
  };
}

/** The second round trip, but for the commit: one statement a table. The plan has rows. */
export function writeStatements({ rows, changedHeads, createdAt }: SavePlan): string {
  const messages = rows.map(({ draft, id, seqId }) => {
    const { message } = draft;
    const extra = messageExtra(message);
    return `(${draft.conversationId},${seqId},${id},${draft.senderId},${message.messageType},${literal(message.content)},X'${draft.clientMsgIdHex}',${message.sourcePartition},${message.sourceOffset},${extra === null ? 'NULL' : literal(extra)},${createdAt})`;
  });
  const heads = [...changedHeads.values()].map(
    (head) =>
      `(${head.conversation_id},${head.last_seq_id},${head.last_message_id},${head.member_version},${head.fanout_mode},${head.fanout_done_seq})`,
  );
  // Sending is reading. Rows in the order of their key, as every writer of pointers takes them.
  const pointers = [
    ...new Map(
      rows.map(({ draft, seqId }) => [
        memberKey(draft.senderId, draft.conversationId),
        { userId: draft.senderId, conversationId: draft.conversationId, seqId },
      ]),
    ).values(),
  ].sort((a, b) => a.userId - b.userId || a.conversationId - b.conversationId);
  return [
    `INSERT INTO messages (conversation_id, seq_id, id, sender_id, message_type, content, client_msg_id,
       source_partition, source_offset, extra, created_at)
     VALUES ${messages}`,
    `INSERT INTO conversation_heads
       (conversation_id, last_seq_id, last_message_id, member_version, fanout_mode, fanout_done_seq)
     VALUES ${heads}
     ON DUPLICATE KEY UPDATE last_seq_id = VALUES(last_seq_id), last_message_id = VALUES(last_message_id),
       fanout_mode = VALUES(fanout_mode), fanout_done_seq = VALUES(fanout_done_seq)`,
    `UPDATE conversations c JOIN conversation_heads h ON h.conversation_id = c.id
     SET c.last_message_id = h.last_message_id, c.updated_at = GREATEST(c.updated_at, ${createdAt})
     WHERE c.id IN (${[...changedHeads.keys()]})`,
    `INSERT INTO user_read_pointers (user_id, conversation_id, last_read_seq_id, updated_at)
     VALUES ${pointers.map((row) => `(${row.userId},${row.conversationId},${row.seqId},${createdAt})`)}
     ON DUPLICATE KEY UPDATE
       updated_at = IF(VALUES(last_read_seq_id) > last_read_seq_id, VALUES(updated_at), updated_at),
       last_read_seq_id = GREATEST(last_read_seq_id, VALUES(last_read_seq_id))`,
  ].join(';\n');
}
