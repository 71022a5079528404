import { chunks } from '../../../lib/chunks.ts';
import { parseId } from '../../../lib/domain/ids.ts';
import { invalid } from '../../../lib/domain/refusals.ts';
import type {
  DeleteArchivedMessagesRequest,
  DeleteArchivedMessagesResponse,
} from '../../../lib/gen/im_repo/v1/archive.ts';
import { type ArchivedMessage, archivedColumns, isSameMessage } from '../cold/archived-message.ts';
import type { ColdMessages } from '../cold/cold-messages.ts';
import { type ColdSegment, readSegments } from '../cold/cold-segments.ts';
import { type Database, formatSql } from '../storage/database.ts';
import type { Databases } from '../storage/databases.ts';

/** Bounds a call. */
const segmentsPerCall = 8;
/** A transaction locks the conversation's head, so senders wait while it deletes this many messages. */
const messagesPerTransaction = 500;

/**
 * Deletes archived messages from the database, after it compared each with the archived one, as the store has it now. What
 * changed since it was archived stays: its row counts more than the object. Pinned messages and those with reactions stay,
 * too, because pins and reactions are read with their rows.
 */
export function createArchiveDelete(deps: {
  databases: Databases;
  cold: Pick<ColdMessages, 'read' | 'fail'>;
}) {
  const { databases, cold } = deps;

  async function deleteSegment(database: Database, segment: ColdSegment) {
    const [archived = []] = await cold.read([segment], { keep: false });
    let deleted = 0;
    let kept = 0;
    let changed = false;
    for (const some of chunks(archived, messagesPerTransaction)) {
      const part = await deletePart(database, segment.conversationId, some);
      if (!part) return undefined;
      deleted += part.deleted;
      kept += part.kept;
      changed ||= part.changed;
    }
    await database.execute(
      `UPDATE cold_segments SET kept_since = NULL, changed_at = IF(?, COALESCE(changed_at, ?), changed_at)
       WHERE conversation_id = ? AND last_seq_id = ? AND object_id = ?`,
      [changed, Date.now(), segment.conversationId, segment.lastSeqId, segment.objectId],
    );
    return { deleted, kept };
  }

  return async (request: DeleteArchivedMessagesRequest): Promise<DeleteArchivedMessagesResponse> => {
    const { conversationId, archivedBefore } = request;
    const only = conversationId === '' ? undefined : parseId(conversationId);
    if (conversationId !== '' && only === undefined)
      throw invalid('conversation_id', 'must be a conversation id');
    const shards = only === undefined ? databases.shards : [databases.messagesOf(only)];
    let deleted = 0;
    let kept = 0;
    let more = false;
    for (const database of shards) {
      const segments = await readSegments(
        database,
        // Index: cold_segments_kept.
        formatSql(`s.kept_since <= ? ${only === undefined ? '' : `AND s.conversation_id = ${only}`}`, [
          archivedBefore,
        ]),
        segmentsPerCall,
      );
      more ||= segments.length === segmentsPerCall;
      for (const segment of segments) {
        const done = await deleteSegment(database, segment).catch(cold.fail);
        if (done) {
          deleted += done.deleted;
          kept += done.kept;
        } else more = true;
      }
    }
    return { deleted, kept, more };
  };
}

/** Undefined if messages of the conversation change right now: it is tried again later. */
async function deletePart(
  database: Database,
  conversationId: number,
  archived: readonly ArchivedMessage[],
): Promise<{ deleted: number; kept: number; changed: boolean } | undefined> {
  const first = archived[0]?.seq_id ?? 0;
  const last = archived.at(-1)?.seq_id ?? 0;
  // The number of the last change is read before the rows: while it stays the same, so do they.
  const [heads, rows] = (await database.batch(
    [
      formatSql('SELECT last_change_seq FROM conversation_heads WHERE conversation_id = ?', [conversationId]),
      // Index: a range of the primary key.
      formatSql(
        `SELECT ${archivedColumns()} FROM messages WHERE conversation_id = ? AND seq_id BETWEEN ? AND ?
         ORDER BY seq_id`,
        [conversationId, first, last],
      ),
    ].join(';\n'),
  )) as [{ last_change_seq: number }[], ArchivedMessage[]];
  const lastChange = heads[0]?.last_change_seq;
  const same = rows.filter((row) => isSame(row, archived[row.seq_id - first]));
  const toDelete = same.filter(({ pinned, reactions }) => pinned === 0 && reactions === null);
  const outcome = { kept: rows.length - toDelete.length, changed: same.length < rows.length };
  if (toDelete.length === 0) return { deleted: 0, ...outcome };
  return database.transaction(async (tx) => {
    const [locked, untold] = (await tx.batch(
      [
        formatSql('SELECT last_change_seq FROM conversation_heads WHERE conversation_id = ? FOR UPDATE', [
          conversationId,
        ]),
        // Reactions that are not told yet have changed their message without a number.
        formatSql(
          'SELECT 1 FROM untold_reactions WHERE conversation_id = ? AND seq_id BETWEEN ? AND ? LIMIT 1',
          [conversationId, first, last],
        ),
      ].join(';\n'),
    )) as [{ last_change_seq: number }[], unknown[]];
    if (locked[0]?.last_change_seq !== lastChange || untold.length > 0) return undefined;
    await tx.batchAndCommit(
      formatSql('DELETE FROM messages WHERE conversation_id = ? AND seq_id IN (?)', [
        conversationId,
        toDelete.map(({ seq_id }) => seq_id),
      ]),
    );
    return { deleted: toDelete.length, ...outcome };
  });
}

const isSame = (row: ArchivedMessage, archived: ArchivedMessage | undefined): boolean =>
  archived !== undefined && isSameMessage(row, archived);
