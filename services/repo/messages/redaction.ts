import { parseId } from '../../../lib/domain/ids.ts';
import { GoChatError } from '../../../lib/errors.ts';
import { deletePins } from '../message-changes/message-pin.ts';
import { deleteReactions } from '../message-changes/reaction-rows.ts';
import { basicKey } from '../rows/conversation-basic.ts';
import { headKey } from '../rows/conversation-head.ts';
import { changesKey, storeChanges } from '../rows/message-changes.ts';
import { storeRecalls } from '../rows/recall-counts.ts';
import { searchedText } from '../search/searched-text.ts';
import { formatSql, type Transaction } from '../storage/database.ts';

// What the redaction of messages in the database and of archived ones have in common.

/** A transaction locks the conversation's head, so senders wait while it redacts this many messages at most. */
export const messagesPerTransaction = 200;

/**
 * The next page of a conversation begins after the client_msg_id `after`. `head` is the conversation's last seq id at
 * the time of its first page. Before the first page, `after` is empty and `head` is 0. The archived messages come last:
 * `coldAfter` is the last seq id of their last page.
 */
export type Cursor = { conversationId: number; after: Buffer; head: number; coldAfter?: number };
/** What a page did. `next` is the next page's cursor; undefined if the conversation is done. */
export type RedactedPage = { read: number; redacted: number; next: Cursor | undefined };

export const firstPage = (conversationId: number): Cursor => ({
  conversationId,
  after: Buffer.alloc(0),
  head: 0,
});

export const encodeCursor = ({ conversationId, after, head, coldAfter }: Cursor): string =>
  coldAfter === undefined
    ? `${conversationId}:${after.toString('hex')}:${head}`
    : `${conversationId}::${head}:${coldAfter}`;

export function readCursor(cursor: string): Cursor {
  if (cursor === '') return firstPage(0);
  const [, id = '', after = '', head = '', coldAfter] =
    /^([0-9]+):((?:[0-9a-f]{2})*):([0-9]{1,16})(?::([0-9]{1,16}))?$/.exec(cursor) ?? [];
  const conversationId = parseId(id);
  if (conversationId === undefined) throw new GoChatError('INVALID_ARGUMENT', 'The cursor is invalid.');
  return {
    conversationId,
    after: Buffer.from(after, 'hex'),
    head: Number(head),
    ...(coldAfter === undefined ? {} : { coldAfter: Number(coldAfter) }),
  };
}

/** The cache keys of what a redaction changes. */
export const keysOf = (conversationId: number): string[] =>
  [headKey, basicKey, changesKey].map((keyOf) => keyOf(String(conversationId)));

/**
 * True if a message was stored since the first page that no page found, because its client_msg_id sorts before the
 * cursor. Index: the primary key, a range of the messages stored since.
 */
export async function isAnyMissed(
  tx: Transaction,
  page: { conversationId: number; userId: number; head: number; written: readonly { seq_id: number }[] },
): Promise<boolean> {
  const { conversationId, userId, head, written } = page;
  const rows = await tx.query<{ seq_id: number }>(
    `SELECT seq_id FROM messages FORCE INDEX (PRIMARY)
     WHERE conversation_id = ? AND seq_id > ? AND sender_id = ? AND deleted = FALSE LIMIT ?`,
    [conversationId, head, userId, written.length + 1],
  );
  const found = new Set(written.map(({ seq_id }) => seq_id));
  return rows.some(({ seq_id }) => !found.has(seq_id));
}

/**
 * Clears the content, `extra` (mentions, reply and metadata), the reactions and the pin. The recall rows take the
 * messages out of the unread counts. The changes are numbered, so that clients that compare numbers ask for them.
 */
export function redactStatements(
  conversationId: number,
  userId: number,
  lastChangeSeq: number,
  written: readonly { seq_id: number; id: number; deleted: number }[],
): string[] {
  const fresh = written.filter(({ deleted }) => deleted === 0);
  const seqIds = written.map(({ seq_id }) => seq_id).sort((a, b) => a - b);
  return [
    formatSql(
      `UPDATE messages SET content = '', extra = NULL, reactions = NULL, pinned = FALSE, deleted = TRUE
       WHERE conversation_id = ? AND seq_id IN (?)`,
      [conversationId, seqIds],
    ),
    ...deleteReactions(conversationId, seqIds),
    deletePins(conversationId, seqIds),
    ...storeChanges(conversationId, lastChangeSeq, seqIds),
    ...(fresh.length === 0
      ? []
      : storeRecalls(
          conversationId,
          fresh.map(({ seq_id, id }) => ({ seqId: seq_id, messageId: id, by: userId })),
        )),
  ];
}

/** How the search index follows the redaction of a message. */
export const removedText = (message: { seq_id: number; message_type: number; content: string }) => ({
  seqId: message.seq_id,
  before: searchedText({ messageType: message.message_type, content: message.content }).text,
  after: '',
});
