import type { Cache } from '../cache/cache.ts';
import type { ArchivedMessage } from '../cold/archived-message.ts';
import type { ColdMessages } from '../cold/cold-messages.ts';
import { noteColdChanges, readSegments, restoreRows } from '../cold/cold-segments.ts';
import { deletePointers } from '../conversation-changes/member-rows.ts';
import {
  deleteReferences,
  fileRecalled,
  filesOf,
  type ReferenceRow,
  selectReferences,
} from '../files/file-references.ts';
import type { SearchEngine } from '../search/engine.ts';
import { formatSql, type Transaction } from '../storage/database.ts';
import type { Databases } from '../storage/databases.ts';
import {
  type Cursor,
  firstPage,
  isAnyMissed,
  keysOf,
  messagesPerTransaction,
  type RedactedPage,
  redactStatements,
  removedText,
} from './redaction.ts';

export type ColdRedactDeps = {
  databases: Databases;
  cache: Cache;
  cold: Pick<ColdMessages, 'read' | 'fail'>;
  searchIndex: Pick<SearchEngine, 'change'>;
};

/** Bounds what one page reads from the store. */
const segmentsPerPage = 4;
/** Such a page counts at least like this many messages, also if the user wrote none of them. */
const leastPerPage = 50;

/**
 * Redacts a user's archived messages in a conversation, page by page: each gets an empty row in the database, which counts
 * more than the object. The texts leave the objects when these are rewritten.
 */
export function createColdRedact({ databases, cache, cold, searchIndex }: ColdRedactDeps) {
  /** The user's next archived messages with texts, and the last seq id that was looked at. */
  async function findWritten(userId: number, { conversationId, coldAfter = 0 }: Cursor) {
    const segments = await readSegments(
      databases.messagesOf(conversationId),
      formatSql('s.conversation_id = ? AND s.last_seq_id > ?', [conversationId, coldAfter]),
      segmentsPerPage,
    );
    const rows = (await cold.read(segments, { keep: false }).catch(cold.fail)).flat();
    const written = rows.filter(
      (row) => row.sender_id === userId && row.seq_id > coldAfter && !(row.deleted === 1 && isEmpty(row)),
    );
    const [some, rest] = [written.slice(0, messagesPerTransaction), written.slice(messagesPerTransaction)];
    const lookedAt = rest.length > 0 ? some.at(-1)?.seq_id : segments.at(-1)?.lastSeqId;
    return { written: some, lookedAt: lookedAt ?? coldAfter };
  }

  return async (userId: number, cursor: Cursor): Promise<RedactedPage> => {
    const { conversationId, head } = cursor;
    const { written, lookedAt } = await findWritten(userId, cursor);
    return cache.change((touch) =>
      databases.messagesOf(conversationId).transaction(async (tx) => {
        const { lastChangeSeq, coldUntil, stored, changed } = await readState(tx, conversationId, written);
        const unknown = written.filter(({ seq_id }) => !stored.has(seq_id));
        // A message was changed after it was read here, and its object was rewritten: read it again.
        if (unknown.some((row) => (changed.get(row.seq_id) ?? 0) !== row.change_seq))
          return { read: leastPerPage, redacted: 0, next: cursor };
        const toRedact = written.flatMap((row) => {
          const now = stored.get(row.seq_id);
          if (now?.deleted === 1 && now.is_empty === 1) return [];
          return [{ ...row, deleted: now?.deleted ?? row.deleted }];
        });
        const seqIds = toRedact.map(({ seq_id }) => seq_id);
        const files =
          seqIds.length === 0 ? [] : await tx.query<ReferenceRow>(selectReferences(conversationId, seqIds));
        const isLast = lookedAt >= coldUntil;
        const isMissed = isLast && (await isAnyMissed(tx, { conversationId, userId, head, written: [] }));
        const statements = [
          ...deleteReferences(fileRecalled, conversationId, seqIds, filesOf(files)),
          ...(unknown.length === 0 ? [] : [restoreRows(unknown.map(withoutTexts))]),
          ...(toRedact.length === 0
            ? []
            : [
                ...redactStatements(conversationId, userId, lastChangeSeq, toRedact),
                noteColdChanges(conversationId, seqIds),
              ]),
          ...(await searchIndex.change(tx, conversationId, toRedact.map(removedText))),
          ...(isLast && !isMissed ? deletePointers(conversationId, [userId]) : []),
        ];
        if (toRedact.length > 0) await touch(keysOf(conversationId));
        if (statements.length > 0) await tx.batchAndCommit(statements.join(';\n'));
        const next = isMissed ? firstPage(conversationId) : { ...cursor, coldAfter: lookedAt };
        return {
          read: Math.max(leastPerPage, written.length),
          redacted: toRedact.length,
          next: isLast && !isMissed ? undefined : next,
        };
      }),
    );
  };
}

const isEmpty = ({ content, extra }: ArchivedMessage): boolean => content === '' && extra === null;

const withoutTexts = (row: ArchivedMessage): ArchivedMessage => ({
  ...row,
  content: '',
  extra: null,
  reactions: null,
  pinned: 0,
});

type Head = { last_change_seq: number; cold_until_seq: number };
type Stored = { seq_id: number; deleted: number; is_empty: number };

/** Locks the head, and reads which of the archived messages have rows in the database, or had changes. */
async function readState(tx: Transaction, conversationId: number, written: readonly ArchivedMessage[]) {
  const seqIds = written.length === 0 ? [0] : written.map(({ seq_id }) => seq_id);
  const [heads, stored, changes] = (await tx.batch(
    [
      `SELECT last_change_seq, cold_until_seq FROM conversation_heads
       WHERE conversation_id = ${conversationId} FOR UPDATE`,
      // Indexes: the primary keys.
      formatSql(
        `SELECT seq_id, deleted, content = '' AND extra IS NULL AS is_empty FROM messages
         WHERE conversation_id = ? AND seq_id IN (?)`,
        [conversationId, seqIds],
      ),
      formatSql(
        'SELECT seq_id, change_seq FROM message_changes WHERE conversation_id = ? AND seq_id IN (?)',
        [conversationId, seqIds],
      ),
    ].join(';\n'),
  )) as [Head[], Stored[], { seq_id: number; change_seq: number }[]];
  return {
    lastChangeSeq: heads[0]?.last_change_seq ?? 0,
    coldUntil: heads[0]?.cold_until_seq ?? 0,
    stored: new Map(stored.map((row) => [row.seq_id, row])),
    changed: new Map(changes.map((row) => [row.seq_id, row.change_seq])),
  };
}
