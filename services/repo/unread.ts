import { type Database, formatSql } from './database.ts';

export type Unread = { conversationId: string; lastReadSeqId: number; unreadCount: number };

/** What a user has not read: exact, without what was recalled. Of all open conversations, or of some. */
export async function loadUnread(
  database: Database,
  userId: number,
  conversationIds?: readonly number[],
): Promise<Unread[]> {
  if (conversationIds?.length === 0) return [];
  const some = conversationIds ? formatSql('AND m.conversation_id IN (?)', [conversationIds]) : '';
  // Indexes: the primary keys; of message_recalls only what was recalled in the conversations is touched.
  const rows = await database.query<{ conversation_id: number; last_read: number; unread: number }>(
    `SELECT m.conversation_id, COALESCE(p.last_read_seq_id, 0) AS last_read,
       GREATEST(0, h.last_seq_id - COALESCE(p.last_read_seq_id, 0) - COUNT(r.seq_id)) AS unread
     FROM conversation_members m
     JOIN conversations c ON c.id = m.conversation_id AND c.status = 1
     JOIN conversation_heads h ON h.conversation_id = m.conversation_id
     LEFT JOIN user_read_pointers p ON p.user_id = m.user_id AND p.conversation_id = m.conversation_id
     LEFT JOIN message_recalls r
       ON r.conversation_id = m.conversation_id AND r.seq_id > COALESCE(p.last_read_seq_id, 0)
     WHERE m.user_id = ${userId} ${some}
     GROUP BY m.conversation_id, p.last_read_seq_id, h.last_seq_id`,
  );
  return rows.map((row) => ({
    conversationId: String(row.conversation_id),
    lastReadSeqId: row.last_read,
    unreadCount: row.unread,
  }));
}
