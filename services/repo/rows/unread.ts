import { conversationStatus } from '../../../lib/domain/enumerations.ts';
import { type Database, formatSql } from '../storage/database.ts';
import { type Databases, fromAll, fromShardsOf, type Lost } from '../storage/databases.ts';
import { recalledOf } from './recall-counts.ts';

export type Unread = { conversationId: string; lastReadSeqId: number; unreadCount: number };

/**
 * Counts a user's unread messages, exactly and without recalled ones, per conversation: in all active conversations of
 * the user, or in the given ones. With `lost`, those of the given ones whose databases do not answer are left out.
 */
export async function loadUnread(
  databases: Databases,
  userId: number,
  conversationIds?: readonly number[],
  lost?: Lost,
): Promise<Unread[]> {
  if (!conversationIds) return fromAll(databases.shards, (shard) => loadUnreadOf(shard, userId));
  return fromShardsOf(databases, conversationIds, (shard, ids) => loadUnreadOf(shard, userId, ids), lost);
}

async function loadUnreadOf(
  database: Database,
  userId: number,
  conversationIds?: readonly number[],
): Promise<Unread[]> {
  const some = conversationIds ? formatSql('AND m.conversation_id IN (?)', [conversationIds]) : '';
  // Indexes: the primary keys of the first four tables, and those that `recalledOf` names.
  const rows = await database.query<{ conversation_id: number; last_read: number; unread: number }>(
    `WITH mine AS (
       SELECT m.conversation_id, COALESCE(p.last_read_seq_id, 0) AS last_read_seq_id, h.last_seq_id
       FROM conversation_members m
       JOIN conversations c ON c.id = m.conversation_id AND c.status = ${conversationStatus.active}
       JOIN conversation_heads h ON h.conversation_id = m.conversation_id
       LEFT JOIN user_read_pointers p ON p.user_id = m.user_id AND p.conversation_id = m.conversation_id
       WHERE m.user_id = ${userId} ${some}
     ),
     ${recalledOf({ newest: 0 })}
     SELECT mine.conversation_id, mine.last_read_seq_id AS last_read,
       GREATEST(0, mine.last_seq_id - mine.last_read_seq_id - COALESCE(recalled.beyond, 0)) AS unread
     FROM mine LEFT JOIN recalled ON recalled.conversation_id = mine.conversation_id`,
  );
  return rows.map((row) => ({
    conversationId: String(row.conversation_id),
    lastReadSeqId: row.last_read,
    unreadCount: row.unread,
  }));
}
