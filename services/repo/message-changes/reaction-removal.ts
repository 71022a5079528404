import { storeChanges } from '../rows/message-changes.ts';
import type { StoredReaction } from '../rows/message-rows.ts';
import { formatSql, type Transaction } from '../storage/database.ts';
import { storeReactions, withoutUser } from './reaction-rows.ts';

type Own = { seq_id: number; emoji: Buffer; reactions: string | null };

/**
 * Takes away some of a user's reactions in a conversation, at most `limit`. The caller holds the lock of the head and has
 * read `lastChangeSeq` under it. The changes are numbered but told to nobody. Resolves to the statements that do it, none if
 * there are no reactions, and to whether there may be more.
 */
export async function removeReactionsOf(
  tx: Transaction,
  of: {
    conversationId: number;
    userId: number;
    lastChangeSeq: number;
    limit: number;
    /** Messages whose reactions are deleted otherwise. */
    except: ReadonlySet<number>;
  },
): Promise<{ statements: string[]; more: boolean }> {
  const { conversationId, userId, lastChangeSeq, limit } = of;
  const own = await tx.query<Own>(
    // Indexes: message_reactions_user, and the primary key of messages.
    `SELECT r.seq_id, r.emoji, m.reactions FROM message_reactions r FORCE INDEX (message_reactions_user)
     JOIN messages m ON m.conversation_id = r.conversation_id AND m.seq_id = r.seq_id
     WHERE r.conversation_id = ? AND r.user_id = ? ORDER BY r.seq_id LIMIT ?`,
    [conversationId, userId, limit],
  );
  const more = own.length === limit;
  const others = own.filter(({ seq_id }) => !of.except.has(seq_id));
  if (others.length === 0) return { statements: [], more };
  const statements: string[] = [];
  const bySeqId = Map.groupBy(others, ({ seq_id }) => seq_id);
  for (const [seqId, rows] of bySeqId) {
    const stored = rows[0]?.reactions;
    let reactions: StoredReaction[] = stored ? JSON.parse(stored) : [];
    for (const row of rows) {
      const emoji = row.emoji.toString('utf8');
      reactions = await withoutUser(tx, reactions, { conversationId, seqId, emoji, userId });
    }
    statements.push(
      storeReactions(conversationId, seqId, reactions),
      formatSql(
        `DELETE FROM message_reactions
         WHERE conversation_id = ? AND seq_id = ? AND user_id = ? AND emoji IN (?)`,
        [conversationId, seqId, userId, rows.map(({ emoji }) => emoji)],
      ),
      formatSql('DELETE FROM untold_reactions WHERE conversation_id = ? AND seq_id = ? AND user_id = ?', [
        conversationId,
        seqId,
        userId,
      ]),
    );
  }
  return {
    statements: [...statements, ...storeChanges(conversationId, lastChangeSeq, [...bySeqId.keys()])],
    more,
  };
}
