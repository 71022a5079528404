import { databaseTime } from '../storage/change-time.ts';
import { formatSql } from '../storage/database.ts';

/**
 * The number of seq ids that one row of message_recall_counts covers. The generated column message_recalls.block uses
 * it too.
 */
export const seqIdsPerBlock = 1000;

/** How many of the newest recalls are read with a conversation. They suffice for readers who are not far behind. */
export const keptRecalls = 60;

/**
 * The recalled seq ids at or after `from`, newest first; `total` counts all recalls. Recalled messages are never
 * unread.
 */
export type RecalledSeqs = { from: number; seqIds: number[]; total: number };

/**
 * Common table expressions that follow `mine (conversation_id, last_read_seq_id)`. Their result is `recalled
 * (conversation_id, recalls, beyond, seqs)`, with one row per conversation that has recalls: the number of recalls, the
 * number of recalls beyond the read pointer, and the newest recalled seq ids. The cost per conversation is one row per
 * thousand messages, plus the single recalls of the read pointer's block and of the newest blocks. Indexes: the primary
 * key of message_recall_counts, and message_recalls_block, which is forced because any other index reads all recalls of
 * the conversation.
 */
export const recalledOf = (which: { newest: number; where?: string }): string =>
  `blocks AS (
     SELECT mine.conversation_id, mine.last_read_seq_id, counts.block, counts.recalls,
       SUM(counts.recalls) OVER (PARTITION BY mine.conversation_id ORDER BY counts.block DESC)
         - counts.recalls AS newer
     FROM mine
     JOIN message_recall_counts counts ON counts.conversation_id = mine.conversation_id
     ${which.where ? `WHERE ${which.where}` : ''}
   ),
   parts AS (
     SELECT blocks.conversation_id, blocks.block, blocks.recalls,
       IF(blocks.block > blocks.last_read_seq_id DIV ${seqIdsPerBlock}, blocks.recalls,
         COUNT(IF(recall.seq_id > blocks.last_read_seq_id, 1, NULL))) AS beyond,
       GROUP_CONCAT(recall.seq_id ORDER BY recall.seq_id DESC) AS seqs
     FROM blocks
     LEFT JOIN message_recalls recall FORCE INDEX (message_recalls_block)
       ON recall.conversation_id = IF(
         blocks.newer < ${which.newest} OR blocks.block = blocks.last_read_seq_id DIV ${seqIdsPerBlock},
         blocks.conversation_id, NULL)
       AND recall.block = blocks.block
     GROUP BY blocks.conversation_id, blocks.block, blocks.recalls, blocks.last_read_seq_id
   ),
   recalled AS (
     SELECT parts.conversation_id, SUM(parts.recalls) AS recalls, SUM(parts.beyond) AS beyond,
       GROUP_CONCAT(parts.seqs ORDER BY parts.block DESC) AS seqs
     FROM parts GROUP BY parts.conversation_id
   )`;

/**
 * Parses the newest seq ids of `seqs`. The server truncates a long GROUP_CONCAT, perhaps within a number, but not
 * before 1,024 bytes. The `keptRecalls` ids of up to 16 digits each are within that limit, so they are complete.
 */
export function readSeqs(total: number, list: string | null): RecalledSeqs {
  const seqIds = list === null ? [] : list.split(',', Math.min(keptRecalls, total)).map(Number);
  return { from: seqIds.length === total ? 0 : (seqIds.at(-1) ?? 0), seqIds, total };
}

/** Counts the recalls beyond a read pointer. Returns undefined if the kept seq ids don't reach back that far. */
export function recalledBeyond(
  { from, seqIds, total }: RecalledSeqs,
  lastReadSeqId: number,
): number | undefined {
  if (lastReadSeqId === 0) return total;
  if (lastReadSeqId + 1 < from) return undefined;
  return seqIds.filter((seqId) => seqId > lastReadSeqId).length;
}

/**
 * Returns the statements that mark messages as recalled and count them. The caller holds the lock of the head, and none
 * of the messages is recalled yet.
 */
export function storeRecalls(
  conversationId: number,
  recalls: readonly { seqId: number; messageId: number; by: number }[],
): string[] {
  const counts = Map.groupBy(recalls, ({ seqId }) => Math.trunc(seqId / seqIdsPerBlock));
  return [
    `INSERT INTO message_recalls (conversation_id, seq_id, message_id, recalled_by, recalled_at)
     VALUES ${recalls.map(
       ({ seqId, messageId, by }) => `(${conversationId},${seqId},${messageId},${by},${databaseTime})`,
     )}
     ON DUPLICATE KEY UPDATE message_id = VALUES(message_id)`,
    `INSERT INTO message_recall_counts (conversation_id, block, recalls)
     VALUES ${[...counts].map(([block, { length }]) => `(${conversationId},${block},${length})`)}
     ON DUPLICATE KEY UPDATE recalls = recalls + VALUES(recalls)`,
  ];
}

/** Returns the statements that recount the blocks from `fromBlock` on. The caller holds the lock of the head. */
export const recountRecalls = (conversationId: number, fromBlock: number): string[] => [
  formatSql('UPDATE message_recall_counts SET recalls = 0 WHERE conversation_id = ? AND block >= ?', [
    conversationId,
    fromBlock,
  ]),
  formatSql(
    `INSERT INTO message_recall_counts (conversation_id, block, recalls)
     SELECT conversation_id, block, COUNT(*) FROM message_recalls FORCE INDEX (message_recalls_block)
     WHERE conversation_id = ? AND block >= ? GROUP BY conversation_id, block
     ON DUPLICATE KEY UPDATE recalls = VALUES(recalls)`,
    [conversationId, fromBlock],
  ),
];

/** Returns the query for the blocks, from `fromBlock` on, whose stored count differs from the number of recalls. */
export const miscountedBlocks = (conversationId: number, fromBlock: number): string =>
  formatSql(
    `SELECT block FROM (
       SELECT block, recalls AS counted, 0 AS marked FROM message_recall_counts
       WHERE conversation_id = ? AND block >= ?
       UNION ALL
       SELECT block, 0 AS counted, COUNT(*) AS marked FROM message_recalls FORCE INDEX (message_recalls_block)
       WHERE conversation_id = ? AND block >= ? GROUP BY block
     ) both_sides
     GROUP BY block HAVING SUM(counted) <> SUM(marked)`,
    [conversationId, fromBlock, conversationId, fromBlock],
  );
