import { chunks } from '../../../lib/chunks.ts';
import type { ArchivedMessage } from '../cold/archived-message.ts';
import type { ColdMessages } from '../cold/cold-messages.ts';
import { type Databases, fromEach } from '../storage/databases.ts';
import { type Entry, isCold, type Take } from './sync-plan.ts';

const rangesPerStatement = 100;

/** About when each conversation's oldest missing message, which is archived, was stored. */
export const readFirstTimes = (databases: Databases, entries: readonly Entry[]) =>
  fromEach(
    databases.byShard(entries, ({ id }) => id),
    async (database, some) => {
      const selects = some.map(
        // Index: the primary key of cold_segments, one row per conversation.
        ({ id, cursor }) =>
          `(SELECT conversation_id, first_created_at AS created_at FROM cold_segments
            WHERE conversation_id = ${id} AND last_seq_id > ${cursor} ORDER BY last_seq_id LIMIT 1)`,
      );
      const statements = chunks(selects, rangesPerStatement).map((part) => part.join(' UNION ALL '));
      type First = { conversation_id: number; created_at: number };
      return ((await database.batch(statements.join(';\n'))) as First[][]).flat();
    },
  );

/** The archived messages of a plan that the database did not have. */
export async function completeMessages(
  cold: Pick<ColdMessages, 'bySeqIds'>,
  takes: readonly Take[],
  found: readonly { conversation_id: number; seq_id: number }[],
): Promise<ArchivedMessage[]> {
  const archived = takes.filter(isCold);
  if (archived.length === 0) return [];
  const present = new Set(found.map(({ conversation_id, seq_id }) => `${conversation_id}:${seq_id}`));
  const rows = await Promise.all(
    archived.map(({ id, first, last, coldUntil }) => {
      const seqIds = Array.from(
        { length: Math.min(last, coldUntil) - first + 1 },
        (_, index) => first + index,
      );
      return cold.bySeqIds(
        id,
        seqIds.filter((seqId) => !present.has(`${id}:${seqId}`)),
      );
    }),
  );
  return rows.flat();
}
