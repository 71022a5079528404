import { formatSql, type Sql } from '../storage/database.ts';
import { type ArchivedMessage, archivedColumns, archivedValues } from './archived-message.ts';
import type { RowGroup } from './parquet-file.ts';

/** A row group of an object in the store. */
export type StoredRowGroup = RowGroup & { objectId: number; objectKey: string; rowGroup: number };

/** Successive messages of a conversation, all in one row group. */
export type ColdSegment = StoredRowGroup & {
  conversationId: number;
  firstSeqId: number;
  lastSeqId: number;
  firstCreatedAt: number;
  changedAt: number | null;
};

type Row = {
  conversation_id: number;
  first_seq_id: number;
  last_seq_id: number;
  first_created_at: number;
  changed_at: number | null;
  object_id: number;
  object_key: string;
  row_group: number;
  byte_start: number;
  byte_length: number;
  messages: number;
  sha256: Buffer;
  layout: string;
};

const select = `SELECT s.conversation_id, s.first_seq_id, s.last_seq_id, s.first_created_at, s.changed_at, s.object_id,
    o.object_key, s.row_group, g.byte_start, g.byte_length, g.messages, g.sha256, g.layout
  FROM cold_segments s
  JOIN cold_objects o ON o.id = s.object_id
  JOIN cold_row_groups g ON g.object_id = s.object_id AND g.row_group = s.row_group`;

const fromRow = (row: Row): ColdSegment => ({
  conversationId: row.conversation_id,
  firstSeqId: row.first_seq_id,
  lastSeqId: row.last_seq_id,
  firstCreatedAt: row.first_created_at,
  changedAt: row.changed_at,
  objectId: row.object_id,
  objectKey: row.object_key,
  rowGroup: row.row_group,
  byteStart: row.byte_start,
  byteLength: row.byte_length,
  messages: row.messages,
  sha256: row.sha256,
  layout: row.layout,
});

/** The segments, at most `limit`, that a condition on `s` selects, in the order of their conversations and seq ids. */
export async function readSegments(sql: Sql, where: string, limit = 100_000): Promise<ColdSegment[]> {
  const rows = await sql.query<Row>(
    `${select} WHERE ${where} ORDER BY s.conversation_id, s.last_seq_id LIMIT ${limit}`,
  );
  return rows.map(fromRow);
}

/** Up to which seq id a conversation is archived, and the segments with messages from `first` to `last`. */
export async function readSegmentsBetween(
  sql: Sql,
  conversationId: number,
  first: number,
  last: number,
): Promise<{ coldUntilSeqId: number; segments: ColdSegment[] }> {
  const [heads, rows] = (await sql.batch(
    [
      formatSql('SELECT cold_until_seq FROM conversation_heads WHERE conversation_id = ?', [conversationId]),
      // Indexes: the primary keys of all tables.
      formatSql(
        `${select} WHERE s.conversation_id = ? AND s.last_seq_id >= ? AND s.first_seq_id <= ?
         ORDER BY s.last_seq_id`,
        [conversationId, first, last],
      ),
    ].join(';\n'),
  )) as [{ cold_until_seq: number }[], Row[]];
  return { coldUntilSeqId: heads[0]?.cold_until_seq ?? 0, segments: rows.map(fromRow) };
}

/** The segments that may have a message, by its id: ids grow with seq ids, but for those of a few milliseconds. */
export const readSegmentsOfMessage = (
  sql: Sql,
  conversationId: number,
  messageId: number,
): Promise<ColdSegment[]> =>
  // Index: cold_segments_message.
  readSegments(
    sql,
    formatSql('s.conversation_id = ? AND s.max_message_id >= ? AND s.min_message_id <= ?', [
      conversationId,
      messageId,
      messageId,
    ]),
  );

/** The segments that may have messages from between two times, both included. */
export async function readSegmentsOfTimes(
  sql: Sql,
  conversationId: number,
  from: number,
  to: number,
): Promise<ColdSegment[]> {
  // Index: a range of the primary key.
  const segments = await readSegments(
    sql,
    formatSql('s.conversation_id = ? AND s.first_created_at <= ?', [conversationId, to]),
  );
  // The messages before `from` end in the last segment that begins before it.
  const first = segments.findLastIndex(({ firstCreatedAt }) => firstCreatedAt < from);
  return segments.slice(Math.max(0, first));
}

/**
 * Returns the statement that notes that archived messages changed: their objects are to be rewritten. The caller holds
 * the lock of the head and changes the rows in messages, which readers prefer to the objects.
 */
export const noteColdChanges = (conversationId: number, seqIds: readonly number[]): string =>
  formatSql(
    `UPDATE cold_segments s JOIN (${seqIds.map((seqId) => `SELECT ${Number(seqId)} AS seq_id`).join(' UNION ALL ')}) changed
       ON s.conversation_id = ? AND s.last_seq_id >= changed.seq_id AND s.first_seq_id <= changed.seq_id
     SET s.changed_at = COALESCE(s.changed_at, ?)`,
    [conversationId, Date.now()],
  );

/** Returns the statement that puts archived messages back into the database. */
export const restoreRows = (rows: readonly ArchivedMessage[]): string =>
  formatSql(`INSERT INTO messages (${archivedColumns()}) VALUES ?`, [rows.map(archivedValues)]);
