import { parseId } from '../../../lib/domain/ids.ts';
import { limitOf } from '../../../lib/domain/limits.ts';
import { GoChatError } from '../../../lib/errors.ts';
import type { RedactMessagesRequest, RedactMessagesResponse } from '../../../lib/gen/im_repo/v1/message.ts';
import { requireClosed } from '../accounts/user-closing.ts';
import type { Cache } from '../cache/cache.ts';
import { deletePointers } from '../conversation-changes/member-rows.ts';
import {
  deleteReferences,
  fileRecalled,
  filesOf,
  type ReferenceRow,
  selectReferences,
} from '../files/file-references.ts';
import { deletePins } from '../message-changes/message-pin.ts';
import { removeReactionsOf } from '../message-changes/reaction-removal.ts';
import { deleteReactions } from '../message-changes/reaction-rows.ts';
import { userIdOf } from '../rows/conversation-access.ts';
import { basicKey } from '../rows/conversation-basic.ts';
import { headKey } from '../rows/conversation-head.ts';
import { changesKey, storeChanges } from '../rows/message-changes.ts';
import { storeRecalls } from '../rows/recall-counts.ts';
import type { SearchEngine } from '../search/engine.ts';
import { searchedText } from '../search/searched-text.ts';
import { formatSql, type Transaction } from '../storage/database.ts';
import { type Databases, fromAll } from '../storage/databases.ts';

const messagesPerCall = { usual: 500, most: 2000 };
/** A transaction locks the conversation's head, so senders wait while it redacts this many messages at most. */
const messagesPerTransaction = 200;
/** Each may cost a query of its own. */
const reactionsPerTransaction = 100;
const noReactions = { statements: [], more: false };
/** Bounds a call for a user who was in many conversations and wrote in few. */
const conversationsPerCall = 50;

/**
 * The next page of a conversation begins after the client_msg_id `after`. `head` is the conversation's last seq id at
 * the time of its first page. Before the first page, `after` is empty and `head` is 0.
 */
type Cursor = { conversationId: number; after: Buffer; head: number };
type Written = {
  seq_id: number;
  id: number;
  client_msg_id: Buffer;
  deleted: number;
  is_empty: number;
  message_type: number;
  content: string;
};

/**
 * Redacts all messages of a closed account, and takes away its reactions to messages of others. The account's read
 * pointers name its conversations, also those that it left and those that were dissolved. A pointer is deleted when its
 * conversation has no more messages to redact, so that a call with an empty cursor continues with the others. Members
 * learn of the redaction from /sync, as of any change; there is no event per message. Throws INVALID_ARGUMENT for an
 * invalid cursor.
 */
export function createMessageRedact(deps: {
  databases: Databases;
  cache: Cache;
  searchIndex: Pick<SearchEngine, 'change'>;
}) {
  const { databases, cache, searchIndex } = deps;

  /** Redacts one page of a conversation. `next` is the next page's cursor; undefined if the conversation is done. */
  const redactPage = (userId: number, cursor: Cursor, limit: number) =>
    cache.change((touch) =>
      databases.messagesOf(cursor.conversationId).transaction(async (tx) => {
        const { conversationId } = cursor;
        const { lastSeqId, lastChangeSeq, written } = await readWritten(tx, { ...cursor, userId, limit });
        const head = cursor.after.length === 0 ? lastSeqId : cursor.head;
        const last = written.length < limit ? undefined : written.at(-1);
        let next = last && { conversationId, after: last.client_msg_id, head };
        if (!last && (await isAnyMissed(tx, { conversationId, userId, head, written })))
          next = firstPage(conversationId);
        const toRedact = written.filter((one) => one.deleted === 0 || one.is_empty === 0);
        const reactions = next
          ? noReactions
          : await removeReactionsOf(tx, {
              conversationId,
              userId,
              lastChangeSeq: lastChangeSeq + toRedact.length,
              limit: reactionsPerTransaction,
              except: new Set(toRedact.map(({ seq_id }) => seq_id)),
            });
        if (reactions.more)
          next = { conversationId, after: written.at(-1)?.client_msg_id ?? cursor.after, head };
        const seqIds = toRedact.map(({ seq_id }) => seq_id);
        const files =
          seqIds.length === 0 ? [] : await tx.query<ReferenceRow>(selectReferences(conversationId, seqIds));
        const statements = [
          ...deleteReferences(fileRecalled, conversationId, seqIds, filesOf(files)),
          ...(next ? [] : deletePointers(conversationId, [userId])),
          ...(toRedact.length === 0 ? [] : redactStatements(conversationId, userId, lastChangeSeq, toRedact)),
          ...reactions.statements,
          ...(await searchIndex.change(tx, conversationId, toRedact.map(removedText))),
        ];
        if (toRedact.length + reactions.statements.length > 0)
          await touch([headKey, basicKey, changesKey].map((keyOf) => keyOf(String(conversationId))));
        if (statements.length > 0) await tx.batchAndCommit(statements.join(';\n'));
        return { read: written.length, redacted: toRedact.length, next };
      }),
    );

  return async (request: RedactMessagesRequest): Promise<RedactMessagesResponse> => {
    const userId = userIdOf(request.userId);
    await requireClosed(databases.users, userId);
    const from = readCursor(request.cursor);
    let left = limitOf(request.limit, messagesPerCall);
    let redacted = 0;
    // Index: the primary key of user_read_pointers.
    const pointers = await fromAll(databases.shards, (shard) =>
      shard.query<{ conversation_id: number }>(
        `SELECT conversation_id FROM user_read_pointers WHERE user_id = ? AND conversation_id >= ?
         ORDER BY conversation_id LIMIT ?`,
        [userId, from.conversationId, conversationsPerCall + 1],
      ),
    );
    pointers.sort((a, b) => a.conversation_id - b.conversation_id);
    for (const { conversation_id: conversationId } of pointers.slice(0, conversationsPerCall)) {
      let cursor: Cursor | undefined =
        conversationId === from.conversationId ? from : firstPage(conversationId);
      while (cursor) {
        if (left === 0) return { redacted, nextCursor: encodeCursor(cursor) };
        const page = await redactPage(userId, cursor, Math.min(left, messagesPerTransaction));
        left -= page.read;
        redacted += page.redacted;
        cursor = page.next;
      }
    }
    const next = pointers[conversationsPerCall];
    return { redacted, nextCursor: next ? encodeCursor(firstPage(next.conversation_id)) : '' };
  };
}

/**
 * Locks the conversation's head and reads a page of the user's messages. Every save holds that lock and writes the
 * sender's read pointer, so a message stored after this transaction brings its own pointer.
 */
async function readWritten(
  tx: Transaction,
  page: Cursor & { userId: number; limit: number },
): Promise<{ lastSeqId: number; lastChangeSeq: number; written: Written[] }> {
  const { userId, conversationId, after, limit } = page;
  const [heads, written] = (await tx.batch(
    [
      formatSql(
        'SELECT last_seq_id, last_change_seq FROM conversation_heads WHERE conversation_id = ? FOR UPDATE',
        [conversationId],
      ),
      formatSql(
        `SELECT seq_id, id, client_msg_id, deleted, message_type, content,
           content = '' AND extra IS NULL AS is_empty
         FROM messages FORCE INDEX (messages_client_msg_id)
         WHERE conversation_id = ? AND sender_id = ? AND client_msg_id > ?
         ORDER BY client_msg_id LIMIT ?`,
        [conversationId, userId, after, limit],
      ),
    ].join(';\n'),
  )) as [{ last_seq_id: number; last_change_seq: number }[], Written[]];
  const [head] = heads;
  return { lastSeqId: head?.last_seq_id ?? 0, lastChangeSeq: head?.last_change_seq ?? 0, written };
}

/**
 * True if a message was stored since the first page that no page found, because its client_msg_id sorts before the
 * cursor. Index: the primary key, a range of the messages stored since.
 */
async function isAnyMissed(
  tx: Transaction,
  page: { conversationId: number; userId: number; head: number; written: readonly Written[] },
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
function redactStatements(
  conversationId: number,
  userId: number,
  lastChangeSeq: number,
  written: readonly Written[],
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

const removedText = ({ seq_id: seqId, message_type: messageType, content }: Written) => ({
  seqId,
  before: searchedText({ messageType, content }).text,
  after: '',
});

const firstPage = (conversationId: number): Cursor => ({
  conversationId,
  after: Buffer.alloc(0),
  head: 0,
});

const encodeCursor = ({ conversationId, after, head }: Cursor): string =>
  `${conversationId}:${after.toString('hex')}:${head}`;

function readCursor(cursor: string): Cursor {
  if (cursor === '') return firstPage(0);
  const [, id = '', after = '', head = ''] = /^([0-9]+):((?:[0-9a-f]{2})*):([0-9]{1,16})$/.exec(cursor) ?? [];
  const conversationId = parseId(id);
  if (conversationId === undefined) throw new GoChatError('INVALID_ARGUMENT', 'The cursor is invalid.');
  return { conversationId, after: Buffer.from(after, 'hex'), head: Number(head) };
}
