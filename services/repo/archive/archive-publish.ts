import { chunks } from '../../../lib/chunks.ts';
import type { ArchivedMessage } from '../cold/archived-message.ts';
import { messagesPerRowGroup } from '../cold/parquet-file.ts';
import { type Database, formatSql, type SqlValue } from '../storage/database.ts';
import type { WrittenObject } from './archive-object.ts';

/** A client may send a message again this long after the first time, and gets the first one's acknowledgement. */
export const clientMsgIdMs = 30 * 24 * 3_600_000;
const rowsPerInsert = 1000;

/** A run of a conversation's messages in a row group. */
export type NewSegment = {
  conversationId: number;
  rowGroup: number;
  firstSeqId: number;
  lastSeqId: number;
  minMessageId: number;
  maxMessageId: number;
  firstCreatedAt: number;
};

/** The segments of an object's rows, which are sorted by conversation and seq id. */
export function segmentsOf(rows: readonly ArchivedMessage[]): NewSegment[] {
  const segments: NewSegment[] = [];
  rows.forEach((row, index) => {
    const rowGroup = Math.trunc(index / messagesPerRowGroup);
    const last = segments.at(-1);
    if (
      last?.conversationId === row.conversation_id &&
      last.rowGroup === rowGroup &&
      last.lastSeqId + 1 === row.seq_id
    ) {
      last.lastSeqId = row.seq_id;
      last.minMessageId = Math.min(last.minMessageId, row.id);
      last.maxMessageId = Math.max(last.maxMessageId, row.id);
      return;
    }
    segments.push({
      conversationId: row.conversation_id,
      rowGroup,
      firstSeqId: row.seq_id,
      lastSeqId: row.seq_id,
      minMessageId: row.id,
      maxMessageId: row.id,
      firstCreatedAt: row.created_at,
    });
  });
  return segments;
}

/** Returns the statements that make an object known with its segments. `changedAt` is that of each segment, if any. */
export function publishStatements(
  { id, rowGroups }: WrittenObject,
  segments: readonly (NewSegment & { changedAt?: number | null })[],
  keptSince: number,
): string[] {
  return [
    ...chunks(rowGroups, rowsPerInsert).map((some, part) =>
      formatSql(
        'INSERT INTO cold_row_groups (object_id, row_group, byte_start, byte_length, messages, sha256, layout) VALUES ?',
        [
          some.map((group, index): SqlValue[] => [
            id,
            part * rowsPerInsert + index,
            group.byteStart,
            group.byteLength,
            group.messages,
            group.sha256,
            group.layout,
          ]),
        ],
      ),
    ),
    ...chunks(segments, rowsPerInsert).map((some) =>
      formatSql(
        `INSERT INTO cold_segments (conversation_id, last_seq_id, first_seq_id, object_id, row_group, min_message_id,
           max_message_id, first_created_at, kept_since, changed_at) VALUES ?`,
        [
          some.map((segment): SqlValue[] => [
            segment.conversationId,
            segment.lastSeqId,
            segment.firstSeqId,
            id,
            segment.rowGroup,
            segment.minMessageId,
            segment.maxMessageId,
            segment.firstCreatedAt,
            keptSince,
            segment.changedAt ?? null,
          ]),
        ],
      ),
    ),
    `UPDATE cold_objects SET state = 'published' WHERE id = ${id}`,
  ];
}

/**
 * Stores the client message ids of young messages apart from the messages: these may be sent again. Answers until when
 * each conversation has such ids. They do no harm before the messages are archived.
 */
export async function storeClientMsgIds(
  database: Database,
  rows: readonly ArchivedMessage[],
): Promise<Map<number, number>> {
  const until = new Map<number, number>();
  const young = rows.filter(({ created_at }) => created_at > Date.now() - clientMsgIdMs);
  for (const some of chunks(young, rowsPerInsert)) {
    await database.execute(
      `INSERT INTO cold_client_msg_ids (conversation_id, sender_id, client_msg_id, id, seq_id, source_partition,
         source_offset, created_at) VALUES ?
       ON DUPLICATE KEY UPDATE id = VALUES(id)`,
      [
        some.map((row): SqlValue[] => [
          row.conversation_id,
          row.sender_id,
          row.client_msg_id,
          row.id,
          row.seq_id,
          row.source_partition,
          row.source_offset,
          row.created_at,
        ]),
      ],
    );
  }
  for (const { conversation_id, created_at } of young) {
    until.set(conversation_id, Math.max(until.get(conversation_id) ?? 0, created_at + clientMsgIdMs));
  }
  return until;
}
