import { parseId } from '../../../lib/domain/ids.ts';
import { invalid } from '../../../lib/domain/refusals.ts';
import type { CompactArchiveRequest, CompactArchiveResponse } from '../../../lib/gen/im_repo/v1/archive.ts';
import { type ArchivedMessage, archivedColumns, isSameMessage } from '../cold/archived-message.ts';
import type { ColdMessages } from '../cold/cold-messages.ts';
import { type ColdSegment, readSegments } from '../cold/cold-segments.ts';
import { type Database, formatSql } from '../storage/database.ts';
import type { Databases } from '../storage/databases.ts';
import {
  type ArchiveObjectDeps,
  clearUnused,
  periodOfKey,
  type WrittenObject,
  writeObject,
} from './archive-object.ts';
import { publishStatements, segmentsOf } from './archive-publish.ts';
import { type BucketLease, takeBucketLease } from './bucket-lease.ts';

type ChangedObject = { object_id: number; bucket: number; database: Database };

/**
 * Rewrites an object with the messages as the database has them: without the texts of recalled and erased ones. The new object
 * takes the old one's place under the locks of the heads, and the old one is deleted with all its versions. The rows in
 * the database wait for their deletion once more.
 */
export function createArchiveCompact(
  deps: ArchiveObjectDeps & { databases: Databases; cold: Pick<ColdMessages, 'read' | 'fail'> },
) {
  const { databases, store } = deps;

  /** The next object with changed messages, by id. */
  async function findChanged(request: CompactArchiveRequest): Promise<ChangedObject | undefined> {
    const only = idOf(request.conversationId, 'conversation_id');
    const userId = idOf(request.userId, 'user_id');
    const after = idOf(request.afterObjectId, 'after_object_id') ?? 0;
    const shards = only === undefined ? databases.shards : [databases.messagesOf(only)];
    const found = await Promise.all(
      shards.map(async (database) => {
        const rows = await database.query<{ object_id: number; bucket: number }>(
          // Index: cold_segments_changed; of messages, one range of the primary key per segment.
          `SELECT s.object_id, o.bucket FROM cold_segments s
           JOIN cold_objects o ON o.id = s.object_id
           ${
             userId === undefined
               ? ''
               : `JOIN messages m ON m.conversation_id = s.conversation_id
                    AND m.seq_id BETWEEN s.first_seq_id AND s.last_seq_id AND m.sender_id = ${userId}`
           }
           WHERE s.changed_at <= ? AND s.object_id > ? ${only === undefined ? '' : `AND s.conversation_id = ${only}`}
           ORDER BY s.object_id LIMIT 1`,
          [request.changedBefore, after],
        );
        return rows.map((row) => ({ ...row, database }));
      }),
    );
    return found.flat().sort((a, b) => a.object_id - b.object_id)[0];
  }

  async function rewrite(
    { object_id, bucket, database }: ChangedObject,
    lease: BucketLease,
  ): Promise<number> {
    const segments = await readSegments(database, formatSql('s.object_id = ?', [object_id]));
    const [first] = segments;
    if (!first) return 0;
    const archived = (await deps.cold.read(segments, { keep: false }).catch(deps.cold.fail)).flat();
    const { rows, changed } = await withChanges(database, segments, archived);
    const object = await writeObject(deps, database, {
      bucket,
      period: periodOfKey(first.objectKey),
      rows,
      replacedKey: first.objectKey,
    });
    if (object) await replace(database, lease, segments, object);
    else await forgetChanges(database, segments);
    await clearUnused(store, database, bucket);
    return changed;
  }

  return async (request: CompactArchiveRequest): Promise<CompactArchiveResponse> => {
    const object = await findChanged(request);
    if (!object) return { objectId: '', messages: 0, busy: false };
    await store.mark();
    const objectId = String(object.object_id);
    const lease = await takeBucketLease(object.database, object.bucket);
    if (!lease) return { objectId, messages: 0, busy: true };
    try {
      await clearUnused(store, object.database, object.bucket);
      return { objectId, messages: await rewrite(object, lease), busy: false };
    } finally {
      await lease.release();
    }
  };
}

function idOf(text: string, name: string): number | undefined {
  if (text === '') return undefined;
  const id = parseId(text);
  if (id === undefined) throw invalid(name, 'must be an id');
  return id;
}

/** The archived rows, each as the database has it if it is there. */
async function withChanges(
  database: Database,
  segments: readonly ColdSegment[],
  archived: readonly ArchivedMessage[],
): Promise<{ rows: ArchivedMessage[]; changed: number }> {
  const newer = new Map<string, ArchivedMessage>();
  for (const { conversationId, firstSeqId, lastSeqId } of segments) {
    const rows = await database.query<ArchivedMessage>(
      `SELECT ${archivedColumns()} FROM messages WHERE conversation_id = ? AND seq_id BETWEEN ? AND ?`,
      [conversationId, firstSeqId, lastSeqId],
    );
    for (const row of rows) newer.set(placeOf(row), row);
  }
  let changed = 0;
  const rows = archived.map((row) => {
    const now = newer.get(placeOf(row)) ?? row;
    if (!isSameMessage(row, now)) changed += 1;
    return now;
  });
  return { rows, changed };
}

const placeOf = ({ conversation_id, seq_id }: ArchivedMessage): string => `${conversation_id}:${seq_id}`;

/** Lets a new object take the place of the one that has these segments. */
async function replace(
  database: Database,
  lease: BucketLease,
  segments: readonly ColdSegment[],
  object: WrittenObject,
): Promise<void> {
  const [first] = segments;
  if (!first) return;
  const conversationIds = [...new Set(segments.map(({ conversationId }) => conversationId))];
  await database.transaction(async (tx) => {
    await lease.require(tx);
    await tx.query(
      `SELECT 1 FROM conversation_heads FORCE INDEX (PRIMARY)
       WHERE conversation_id IN (?) ORDER BY conversation_id FOR UPDATE`,
      [conversationIds],
    );
    const now = await readSegments(tx, formatSql('s.object_id = ?', [first.objectId]));
    const changedAt = new Map(now.map((segment) => [placeOfSegment(segment), segment.changedAt]));
    const before = new Map(segments.map((segment) => [placeOfSegment(segment), segment.changedAt]));
    const written = segmentsOf(object.rows).map((segment) => {
      const place = placeOfSegment(segment);
      const at = changedAt.get(place) ?? null;
      // What changed first after the rows were read is not in the new object.
      return { ...segment, changedAt: at === (before.get(place) ?? null) ? null : at };
    });
    if (written.length !== now.length || written.some((segment) => !changedAt.has(placeOfSegment(segment)))) {
      throw new Error(`the object ${first.objectKey} was rewritten with other segments`);
    }
    await tx.batchAndCommit(
      [
        `DELETE FROM cold_segments WHERE object_id = ${first.objectId}`,
        ...publishStatements(object, written, Date.now()),
        `UPDATE cold_objects SET state = 'retired' WHERE id = ${first.objectId}`,
      ].join(';\n'),
    );
  });
}

const placeOfSegment = (segment: { conversationId: number; firstSeqId: number; lastSeqId: number }): string =>
  `${segment.conversationId}:${segment.firstSeqId}-${segment.lastSeqId}`;

/** The object has all changes already. */
async function forgetChanges(database: Database, segments: readonly ColdSegment[]): Promise<void> {
  for (const { conversationId, lastSeqId, changedAt } of segments) {
    if (changedAt === null) continue;
    await database.execute(
      `UPDATE cold_segments SET changed_at = NULL
       WHERE conversation_id = ? AND last_seq_id = ? AND changed_at = ?`,
      [conversationId, lastSeqId, changedAt],
    );
  }
}
