import { parseId } from '../../../lib/domain/ids.ts';
import { invalid } from '../../../lib/domain/refusals.ts';
import type { ArchiveMessagesRequest, ArchiveMessagesResponse } from '../../../lib/gen/im_repo/v1/archive.ts';
import { type ArchivedMessage, archivedColumns } from '../cold/archived-message.ts';
import { bucketOf } from '../storage/buckets.ts';
import { type Database, formatSql } from '../storage/database.ts';
import type { Databases } from '../storage/databases.ts';
import { keptMessages } from './archivable.ts';
import {
  type ArchiveObjectDeps,
  clearUnused,
  periodOf,
  type WrittenObject,
  writeObject,
} from './archive-object.ts';
import { publishStatements, segmentsOf, storeClientMsgIds } from './archive-publish.ts';
import { type BucketLease, takeBucketLease } from './bucket-lease.ts';

/** Bounds the locks of one publication. */
const maxConversations = 500;
/** Bound the memory of a call. */
const maxMessages = 20_000;
const maxBytes = 16 * 1024 * 1024;
const rowsPerRead = 2000;

type Head = { conversation_id: number; last_seq_id: number; cold_until_seq: number };

/**
 * Archives messages: writes them into an object per month, reads it back and compares every row, and then publishes it:
 * in one transaction under the heads' locks, the object's segments become known and `cold_until_seq` moves to their
 * ends. Until then the object counts for nothing. The rows stay in the database, where readers prefer them, until they
 * are deleted.
 */
export function createArchiveMessages(deps: ArchiveObjectDeps & { databases: Databases }) {
  const { databases, store } = deps;

  return async (request: ArchiveMessagesRequest): Promise<ArchiveMessagesResponse> => {
    const ids = readIds(request.conversationIds);
    const [first] = ids;
    if (first === undefined) return { messages: 0, objects: 0, bytes: 0, more: false, busy: false };
    await store.mark();
    const database = databases.messagesOf(first);
    const lease = await takeBucketLease(database, bucketOf(first));
    if (!lease) return { messages: 0, objects: 0, bytes: 0, more: false, busy: true };
    try {
      await clearUnused(store, database, lease.bucket);
      const { rows, more } = await readOld(database, ids, request);
      const objects: WrittenObject[] = [];
      for (const [period, some] of byPeriod(rows)) {
        const object = await writeObject(deps, database, { bucket: lease.bucket, period, rows: some });
        if (!object) continue;
        await publish(database, lease, object);
        objects.push(object);
      }
      return {
        messages: rows.length,
        objects: objects.length,
        bytes: objects.reduce((sum, { bytes }) => sum + bytes.length, 0),
        more,
        busy: false,
      };
    } finally {
      await lease.release();
    }
  };
}

function readIds(conversationIds: readonly string[]): number[] {
  const ids = conversationIds.map((id) => parseId(id) ?? 0).sort((a, b) => a - b);
  if (ids.length > maxConversations)
    throw invalid('conversation_ids', `must have at most ${maxConversations} ids`);
  if (new Set(ids.map(bucketOf)).size > 1) throw invalid('conversation_ids', 'must be of one bucket');
  return ids;
}

/** The next old messages of conversations, by conversation and seq id. `more`: there are others. */
async function readOld(
  database: Database,
  ids: readonly number[],
  { before, keepNewest }: ArchiveMessagesRequest,
): Promise<{ rows: ArchivedMessage[]; more: boolean }> {
  const heads = await database.query<Head>(
    `SELECT conversation_id, last_seq_id, cold_until_seq FROM conversation_heads
     WHERE conversation_id IN (?) ORDER BY conversation_id`,
    [ids],
  );
  const rows: ArchivedMessage[] = [];
  let bytes = 0;
  for (const { conversation_id: id, last_seq_id, cold_until_seq } of heads) {
    const until = last_seq_id - keptMessages(keepNewest);
    let next = cold_until_seq + 1;
    while (next <= until) {
      const room = Math.min(rowsPerRead, maxMessages - rows.length);
      if (room <= 0 || bytes > maxBytes) return { rows, more: true };
      const found = await database.query<ArchivedMessage>(
        `SELECT ${archivedColumns()} FROM messages
         WHERE conversation_id = ? AND seq_id BETWEEN ? AND ? ORDER BY seq_id LIMIT ?`,
        [id, next, until, room],
      );
      // Archived messages have no holes: after one, nothing can be archived.
      const young = found.findIndex((row, index) => row.created_at >= before || row.seq_id !== next + index);
      const old = young === -1 ? found : found.slice(0, young);
      for (const row of old) bytes += row.content.length + (row.extra?.length ?? 0);
      rows.push(...old);
      next += old.length;
      if (young !== -1 || found.length < room) break;
    }
  }
  return { rows, more: false };
}

/** Divides rows by the month of their storage, the earliest first. A clock that goes back opens no earlier month again. */
function byPeriod(rows: readonly ArchivedMessage[]): [string, ArchivedMessage[]][] {
  const periods = new Map<string, ArchivedMessage[]>();
  let conversationId: number | undefined;
  let period = '';
  for (const row of rows) {
    const own = periodOf(row.created_at);
    period = row.conversation_id === conversationId && period > own ? period : own;
    conversationId = row.conversation_id;
    const some = periods.get(period);
    if (some) some.push(row);
    else periods.set(period, [row]);
  }
  return [...periods].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Makes an object count. Throws, and changes nothing, if another process archived some of its messages. */
async function publish(database: Database, lease: BucketLease, object: WrittenObject): Promise<void> {
  const segments = segmentsOf(object.rows);
  const idsUntil = await storeClientMsgIds(database, object.rows);
  const ranges = new Map<number, { first: number; last: number }>();
  for (const { conversationId, firstSeqId, lastSeqId } of segments) {
    const range = ranges.get(conversationId);
    if (range) range.last = lastSeqId;
    else ranges.set(conversationId, { first: firstSeqId, last: lastSeqId });
  }
  await database.transaction(async (tx) => {
    await lease.require(tx);
    const heads = await tx.query<Head>(
      // The primary key is forced: a scan would wait for locks on other rows.
      `SELECT conversation_id, cold_until_seq FROM conversation_heads FORCE INDEX (PRIMARY)
       WHERE conversation_id IN (?) ORDER BY conversation_id FOR UPDATE`,
      [[...ranges.keys()]],
    );
    for (const { conversation_id, cold_until_seq } of heads) {
      if (ranges.get(conversation_id)?.first !== cold_until_seq + 1) {
        throw new Error(`messages of the conversation ${conversation_id} were archived meanwhile`);
      }
    }
    if (heads.length < ranges.size)
      throw new Error('a conversation is gone whose messages were to be archived');
    const moved = [...ranges].map(
      ([id, { last }]) => `SELECT ${id} AS id, ${last} AS seq_id, ${idsUntil.get(id) ?? 0} AS ids_until`,
    );
    await tx.batchAndCommit(
      [
        ...publishStatements(object, segments, Date.now()),
        formatSql(
          `UPDATE conversation_heads h JOIN (${moved.join(' UNION ALL ')}) moved ON moved.id = h.conversation_id
           SET h.cold_until_seq = moved.seq_id, h.cold_ids_until = GREATEST(h.cold_ids_until, moved.ids_until)`,
        ),
      ].join(';\n'),
    );
  });
}
