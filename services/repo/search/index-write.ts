import { chunks } from '../../../lib/chunks.ts';
import type { ColdMessages } from '../cold/cold-messages.ts';
import { type Database, isDuplicateKey, type Transaction } from '../storage/database.ts';
import type { Databases } from '../storage/databases.ts';
import type { Candidate, SearchEngine, SeqRange } from './engine.ts';
import { addStatements, type IndexedRow, indexedColumns } from './index-rows.ts';
import { blockOf, firstSeqOf, lastSeqOf } from './postings.ts';

/** Conversations and messages per transaction: its terms are found in one turn of the event loop, which others wait for. */
const conversationsPerTransaction = 100;
const messagesPerTransaction = 200;
const messagesOfLongest = 20;

type Part = { conversationId: number; firstSeqId: number; lastSeqId: number };
type Head = { conversation_id: number; last_seq_id: number };

/**
 * Writes the index. The row of search_heads says up to which seq id a conversation is in the index; its lock makes
 * the writers of a conversation take turns, so that no message is added twice. A conversation enters the index with the
 * block of its first message that is told, or with its newest one if `rebuild` comes first: from there the next message that
 * is told goes on, while `rebuild` adds the blocks before.
 */
export function createIndexWrite({
  databases,
  cold,
}: {
  databases: Databases;
  cold: Pick<ColdMessages, 'bySeqIds'>;
}): Pick<SearchEngine, 'index' | 'rebuild'> {
  /** Adds the next messages of some conversations, and answers what is left of each. */
  async function add(
    database: Database,
    wanted: readonly SeqRange[],
  ): Promise<{ indexed: number; left: SeqRange[] }> {
    return database.transaction(async (tx) => {
      const heads = await lockHeads(
        tx,
        wanted.map(({ conversationId }) => conversationId),
      );
      const { parts, left } = planParts(wanted, heads);
      if (parts.length === 0) return { indexed: 0, left };
      const messages = await readMessages(tx, parts, heads);
      const found = Map.groupBy(messages, ({ conversation_id }) => conversation_id);
      const next = [...found].map(
        ([id, some]): Head => ({
          conversation_id: id,
          last_seq_id: Math.max(...some.map(({ seq_id }) => seq_id)),
        }),
      );
      // Of what is not there, nothing is left to do.
      const complete = new Set(
        parts.flatMap(({ conversationId, lastSeqId }) =>
          next.some((head) => head.conversation_id === conversationId && head.last_seq_id === lastSeqId)
            ? [conversationId]
            : [],
        ),
      );
      const planned = new Set(parts.map(({ conversationId }) => conversationId));
      const remaining = left.filter(({ conversationId: id }) => complete.has(id) || !planned.has(id));
      if (next.length === 0) return { indexed: 0, left: remaining };
      await tx.batchAndCommit([...headStatements(next, heads), ...addStatements(messages)].join(';\n'));
      return { indexed: messages.length, left: remaining };
    });
  }

  return {
    async index(ranges) {
      let indexed = 0;
      const left: SeqRange[] = [];
      const failures: unknown[] = [];
      for (const [database, some] of databases.byShard(
        merged(ranges),
        ({ conversationId }) => conversationId,
      )) {
        for (const wanted of chunks(some, conversationsPerTransaction)) {
          try {
            const done = await onceMoreIf(isHeadMade, () => add(database, wanted));
            indexed += done.indexed;
            left.push(...done.left);
          } catch (error) {
            // What the other databases have is taken up nevertheless. The caller repeats all of it.
            failures.push(error);
            break;
          }
        }
      }
      if (failures.length > 0) throw failures[0];
      return { indexed, left };
    },

    async rebuild({ conversationId, seqId }: Candidate) {
      const block = blockOf(seqId);
      const newest = await newestBlockOfNew(databases.messagesOf(conversationId), conversationId);
      const bothBlocks = [...new Set([block, newest ?? block])];
      const archived: IndexedRow[] = await cold.bySeqIds(conversationId, bothBlocks.flatMap(seqIdsOf));
      const indexed = await onceMoreIf(isHeadMade, () =>
        databases.messagesOf(conversationId).transaction(async (tx) => {
          const heads = await lockHeads(tx, [conversationId]);
          const known = heads.get(conversationId);
          const blocks = known === undefined ? bothBlocks : [block];
          const parts = blocks.map((one) => ({
            conversationId,
            firstSeqId: firstSeqOf(one),
            lastSeqId: lastSeqOf(one),
          }));
          const stored = await readMessages(tx, parts, heads);
          const present = new Set(stored.map(({ seq_id }) => seq_id));
          const absent = archived.filter(
            ({ seq_id }) => blocks.includes(blockOf(seq_id)) && !present.has(seq_id),
          );
          const messages = [...absent, ...stored].sort((a, b) => a.seq_id - b.seq_id);
          const head = {
            conversation_id: conversationId,
            last_seq_id: Math.max(
              known ?? firstSeqOf(newest ?? block) - 1,
              ...messages.map(({ seq_id }) => seq_id),
            ),
          };
          await tx.batchAndCommit(
            [
              ...(messages.length === 0 ? [] : headStatements([head], heads)),
              ...['search_terms', 'search_blocks'].map(
                (table) =>
                  `DELETE FROM ${table} WHERE conversation_id = ${conversationId} AND block IN (${blocks})`,
              ),
              ...addStatements(messages),
            ].join(';\n'),
          );
          return messages.filter(({ seq_id }) => blockOf(seq_id) === block).length;
        }),
      );
      return { indexed, nextSeqId: lastSeqOf(block) + 1 };
    },
  };
}

/** The block of the last message of a conversation that is not in the index yet. */
async function newestBlockOfNew(database: Database, conversationId: number): Promise<number | undefined> {
  const [head] = await database.query<Pick<Head, 'last_seq_id'>>(
    // Index: the primary keys.
    `SELECT h.last_seq_id FROM conversation_heads h LEFT JOIN search_heads s ON s.conversation_id = h.conversation_id
     WHERE h.conversation_id = ? AND s.conversation_id IS NULL`,
    [conversationId],
  );
  return head && blockOf(head.last_seq_id);
}

const seqIdsOf = (block: number): number[] => {
  const first = firstSeqOf(block);
  return Array.from({ length: lastSeqOf(block) - first + 1 }, (_, index) => first + index);
};

/** One range per conversation. */
function merged(ranges: readonly SeqRange[]): SeqRange[] {
  const byConversation = new Map<number, SeqRange>();
  for (const { conversationId, firstSeqId, lastSeqId } of ranges) {
    const known = byConversation.get(conversationId);
    byConversation.set(conversationId, {
      conversationId,
      firstSeqId: Math.min(firstSeqId, known?.firstSeqId ?? firstSeqId),
      lastSeqId: Math.max(lastSeqId, known?.lastSeqId ?? lastSeqId),
    });
  }
  return [...byConversation.values()].sort((a, b) => a.conversationId - b.conversationId);
}

/** Locks the heads that exist, in the order of their ids, and answers the last seq id of each. */
export async function lockHeads(
  tx: Pick<Transaction, 'query'>,
  conversationIds: readonly number[],
): Promise<Map<number, number>> {
  const rows = await tx.query<Head>(
    // Index: the primary key.
    'SELECT conversation_id, last_seq_id FROM search_heads WHERE conversation_id IN (?) ORDER BY conversation_id FOR UPDATE',
    [conversationIds],
  );
  return new Map(rows.map(({ conversation_id, last_seq_id }) => [conversation_id, last_seq_id]));
}

/**
 * What to add now, within the bounds of a transaction, and what is left. The shortest come first: one conversation with
 * many messages, as after an import, keeps no other waiting. It gets a few in any case, lest it should never come to its end.
 */
function planParts(
  wanted: readonly SeqRange[],
  heads: ReadonlyMap<number, number>,
): { parts: Part[]; left: SeqRange[] } {
  const missing = wanted
    .map((range) => {
      const known = heads.get(range.conversationId);
      const next = known === undefined ? firstSeqOf(blockOf(range.firstSeqId)) : known + 1;
      return { range, next, count: range.lastSeqId - next + 1 };
    })
    .filter(({ count }) => count > 0)
    .sort((a, b) => a.count - b.count);
  const parts: Part[] = [];
  const left: SeqRange[] = [];
  let room = messagesPerTransaction;
  for (const { range, next, count } of missing) {
    const isLongest = range === missing.at(-1)?.range;
    const now = Math.min(count, isLongest ? Math.max(room, messagesOfLongest) : room);
    if (now > 0) {
      parts.push({ conversationId: range.conversationId, firstSeqId: next, lastSeqId: next + now - 1 });
    }
    if (now < count) left.push(range);
    room -= now;
  }
  return { parts, left };
}

/**
 * Reads messages, after the lock. A conversation that is not in the index yet has no row there to lock: then the lock of its
 * own head keeps changes of its messages away until it has one.
 */
async function readMessages(
  tx: Pick<Transaction, 'batch'>,
  parts: readonly Part[],
  heads: ReadonlyMap<number, number>,
): Promise<IndexedRow[]> {
  const fresh = parts.map(({ conversationId }) => conversationId).filter((id) => !heads.has(id));
  const results = await tx.batch(
    [
      ...(fresh.length === 0
        ? []
        : [
            `SELECT conversation_id FROM conversation_heads WHERE conversation_id IN (${fresh})
             ORDER BY conversation_id FOR UPDATE`,
          ]),
      selectMessages(parts),
    ].join(';\n'),
  );
  return results.at(-1) as IndexedRow[];
}

const selectMessages = (parts: readonly Part[]): string =>
  // Index: the primary key of messages.
  `SELECT ${indexedColumns} FROM messages WHERE ${parts
    .map(
      ({ conversationId, firstSeqId, lastSeqId }) =>
        `(conversation_id = ${conversationId} AND seq_id BETWEEN ${firstSeqId} AND ${lastSeqId})`,
    )
    .join(' OR ')} ORDER BY conversation_id, seq_id`;

/** The new heads come by an INSERT of their own: it fails if another process has made one meanwhile. */
function headStatements(next: readonly Head[], known: ReadonlyMap<number, number>): string[] {
  const value = ({ conversation_id, last_seq_id }: Head) => `(${conversation_id},${last_seq_id})`;
  const fresh = next.filter(({ conversation_id }) => !known.has(conversation_id)).map(value);
  const others = next.filter(({ conversation_id }) => known.has(conversation_id)).map(value);
  return [
    ...(fresh.length === 0
      ? []
      : [`INSERT INTO search_heads (conversation_id, last_seq_id) VALUES ${fresh}`]),
    ...(others.length === 0
      ? []
      : [
          `INSERT INTO search_heads (conversation_id, last_seq_id) VALUES ${others}
           ON DUPLICATE KEY UPDATE last_seq_id = VALUES(last_seq_id)`,
        ]),
  ];
}

const isHeadMade = (error: unknown): boolean => isDuplicateKey(error, 'PRIMARY');

async function onceMoreIf<T>(isAgain: (error: unknown) => boolean, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isAgain(error)) throw error;
    return work();
  }
}
