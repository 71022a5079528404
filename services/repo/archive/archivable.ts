import { chunks } from '../../../lib/chunks.ts';
import { conversationType } from '../../../lib/domain/enumerations.ts';
import { parseId } from '../../../lib/domain/ids.ts';
import { invalid } from '../../../lib/domain/refusals.ts';
import type {
  ArchivableConversation,
  FindArchivableRequest,
  FindArchivableResponse,
} from '../../../lib/gen/im_repo/v1/archive.ts';
import { bucketOf } from '../storage/buckets.ts';
import { type Databases, fromShardsOf } from '../storage/databases.ts';
import { idsPerList } from '../storage/sql.ts';

/** Heads that one page looks at, in each database. */
const headsPerPage = 5000;

/** The newest messages of a conversation that are never archived: the list of conversations shows the last one. */
export const keptMessages = (keepNewest: number): number => Math.max(1, Math.trunc(keepNewest));

/**
 * Finds conversations whose first message in the database is old enough. Messages of the world room are not archived: it
 * has too many for deleting them one by one.
 */
export function createFindArchivable({ databases }: { databases: Databases }) {
  return async (request: FindArchivableRequest): Promise<FindArchivableResponse> => {
    const { conversationId, afterConversationId, before } = request;
    const only = conversationId === '' ? undefined : parseId(conversationId);
    if (conversationId !== '' && only === undefined)
      throw invalid('conversation_id', 'must be a conversation id');
    const after = afterConversationId === '' ? 0 : parseId(afterConversationId);
    if (after === undefined) throw invalid('after_conversation_id', 'must be a conversation id');
    const kept = keptMessages(request.keepNewest);
    const shards = only === undefined ? databases.shards : [databases.messagesOf(only)];
    const which = only === undefined ? `conversation_id > ${after}` : `conversation_id = ${only}`;
    const pages = await Promise.all(
      shards.map((shard) =>
        shard.query<{ id: number; is_old: number }>(
          // Indexes: the primary keys.
          `SELECT h.conversation_id AS id,
             COALESCE(h.last_seq_id - h.cold_until_seq > ? AND c.type <> ? AND m.created_at < ?, 0) AS is_old
           FROM (SELECT conversation_id, cold_until_seq, last_seq_id FROM conversation_heads
                 WHERE ${which} ORDER BY conversation_id LIMIT ?) h
           LEFT JOIN conversations c ON c.id = h.conversation_id
           LEFT JOIN messages m ON m.conversation_id = h.conversation_id AND m.seq_id = h.cold_until_seq + 1
           ORDER BY h.conversation_id`,
          [kept, conversationType.world, before, headsPerPage],
        ),
      ),
    );
    // A page ends where the first full page of a database ends.
    const ends = pages.filter(({ length }) => length === headsPerPage).map((page) => page.at(-1)?.id ?? 0);
    const end = only === undefined && ends.length > 0 ? Math.min(...ends) : undefined;
    const ids = pages
      .flat()
      .filter(({ id, is_old }) => is_old === 1 && (end === undefined || id <= end))
      .map(({ id }) => id);
    const counts = request.count ? await countOld(databases, ids, kept, before) : new Map<number, number>();
    const conversations = ids.map(
      (id): ArchivableConversation => ({
        conversationId: String(id),
        bucket: bucketOf(id),
        messages: counts.get(id) ?? 0,
      }),
    );
    return { conversations, nextAfterConversationId: end === undefined ? '' : String(end) };
  };
}

/** How many messages of each conversation are old enough. */
async function countOld(
  databases: Databases,
  ids: readonly number[],
  kept: number,
  before: number,
): Promise<Map<number, number>> {
  const rows = await fromShardsOf(databases, ids, async (shard, all) => {
    const counted: { id: number; messages: number }[] = [];
    for (const some of chunks(all, idsPerList)) {
      counted.push(
        ...(await shard.query<{ id: number; messages: number }>(
          // Index: a range of the primary key of messages per conversation.
          `SELECT h.conversation_id AS id, COUNT(*) AS messages
           FROM conversation_heads h
           JOIN messages m ON m.conversation_id = h.conversation_id
             AND m.seq_id > h.cold_until_seq AND m.seq_id <= h.last_seq_id - ?
           WHERE h.conversation_id IN (?) AND m.created_at < ?
           GROUP BY h.conversation_id`,
          [kept, some, before],
        )),
      );
    }
    return counted;
  });
  return new Map(rows.map(({ id, messages }) => [id, messages]));
}
