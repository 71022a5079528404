import type { Sql } from '../../../services/repo/storage/database.ts';

/** Tells the pair with this key ("low:high") that a conversation is its own. */
export async function tellPair(sql: Sql, key: string, conversationId: number): Promise<void> {
  const [low = '', high = ''] = key.split(':');
  await sql.execute(
    `INSERT INTO pairs (low_id, high_id, conversation_id) VALUES (?)
     ON DUPLICATE KEY UPDATE conversation_id = VALUES(conversation_id)`,
    [[Number(low), Number(high), conversationId]],
  );
}
