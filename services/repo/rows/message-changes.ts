import { type Cache, cacheKey, cacheKind } from '../cache/cache.ts';
import type { Databases } from '../storage/databases.ts';

/** The number of a conversation's last change of a message. Pages of messages are valid as long as it stays the same. */
const conversationChanges = cacheKind<number>('conversation:changes', 30 * 60_000);

/** The cache key that every change of a stored message must touch, numbered or not. */
export const changesKey = (conversationId: string): string => cacheKey(conversationChanges, conversationId);

/** Makes what is read through `cache` depend on the changes of a conversation's messages. */
export async function dependOnChanges(
  deps: { cache: Pick<Cache, 'read'>; databases: Databases },
  conversationId: string,
): Promise<void> {
  await deps.cache.read(conversationChanges, [conversationId], async () => {
    const [head] = await deps.databases
      .messagesOf(conversationId)
      .query<{ last_change_seq: number }>(
        'SELECT last_change_seq FROM conversation_heads WHERE conversation_id = ?',
        [Number(conversationId)],
      );
    return new Map(head ? [[conversationId, head.last_change_seq]] : []);
  });
}

/**
 * Returns the statements that number the changes of messages: the first message gets the number after `lastChangeSeq`,
 * the next one the number after that. The caller holds the lock of the head and has read `lastChangeSeq` under it.
 */
export function storeChanges(
  conversationId: number,
  lastChangeSeq: number,
  seqIds: readonly number[],
): string[] {
  const rows = seqIds.map((seqId, index) => `(${conversationId},${seqId},${lastChangeSeq + index + 1})`);
  return [
    `INSERT INTO message_changes (conversation_id, seq_id, change_seq) VALUES ${rows}
     ON DUPLICATE KEY UPDATE change_seq = VALUES(change_seq)`,
    // Indexes: the primary keys of both tables.
    `UPDATE messages m JOIN message_changes c ON c.conversation_id = m.conversation_id AND c.seq_id = m.seq_id
     SET m.change_seq = c.change_seq
     WHERE m.conversation_id = ${conversationId} AND m.seq_id IN (${seqIds})`,
    `UPDATE conversation_heads SET last_change_seq = ${lastChangeSeq + seqIds.length}
     WHERE conversation_id = ${conversationId}`,
  ];
}
