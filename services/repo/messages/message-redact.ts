import { limitOf } from '../../../lib/domain/limits.ts';
import type { RedactMessagesRequest, RedactMessagesResponse } from '../../../lib/gen/im_repo/v1/message.ts';
import { requireClosed } from '../accounts/user-closing.ts';
import { noteColdChanges } from '../cold/cold-segments.ts';
import { deletePointers } from '../conversation-changes/member-rows.ts';
import {
  deleteReferences,
  fileRecalled,
  filesOf,
  type ReferenceRow,
  selectReferences,
} from '../files/file-references.ts';
import { removeReactionsOf } from '../message-changes/reaction-removal.ts';
import { userIdOf } from '../rows/conversation-access.ts';
import { formatSql, type Transaction } from '../storage/database.ts';
import { fromAll } from '../storage/databases.ts';
import { type ColdRedactDeps, createColdRedact } from './message-redact-cold.ts';
import {
  type Cursor,
  encodeCursor,
  firstPage,
  isAnyMissed,
  keysOf,
  messagesPerTransaction,
  type RedactedPage,
  readCursor,
  redactStatements,
  removedText,
} from './redaction.ts';

const messagesPerCall = { usual: 500, most: 2000 };
/** Each may cost a query of its own. */
const reactionsPerTransaction = 100;
const noReactions = { statements: [], more: false };
/** Bounds a call for a user who was in many conversations and wrote in few. */
const conversationsPerCall = 50;

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
export function createMessageRedact(deps: ColdRedactDeps) {
  const { databases, cache, searchIndex } = deps;
  const redactCold = createColdRedact(deps);

  /** Redacts one page of a conversation's messages in the database. */
  const redactStored = (userId: number, cursor: Cursor, limit: number): Promise<RedactedPage> =>
    cache.change((touch) =>
      databases.messagesOf(cursor.conversationId).transaction(async (tx) => {
        const { conversationId } = cursor;
        const { lastSeqId, lastChangeSeq, coldUntil, written } = await readWritten(tx, {
          ...cursor,
          userId,
          limit,
        });
        const head = cursor.after.length === 0 ? lastSeqId : cursor.head;
        const last = written.length < limit ? undefined : written.at(-1);
        let next: Cursor | undefined = last && { conversationId, after: last.client_msg_id, head };
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
        if (!next && coldUntil > 0) next = { conversationId, after: Buffer.alloc(0), head, coldAfter: 0 };
        const seqIds = toRedact.map(({ seq_id }) => seq_id);
        const files =
          seqIds.length === 0 ? [] : await tx.query<ReferenceRow>(selectReferences(conversationId, seqIds));
        const statements = [
          ...deleteReferences(fileRecalled, conversationId, seqIds, filesOf(files)),
          ...(next ? [] : deletePointers(conversationId, [userId])),
          ...(toRedact.length === 0 ? [] : redactStatements(conversationId, userId, lastChangeSeq, toRedact)),
          ...noteChanges(conversationId, coldUntil, toRedact),
          ...reactions.statements,
          ...(await searchIndex.change(tx, conversationId, toRedact.map(removedText))),
        ];
        if (toRedact.length + reactions.statements.length > 0) await touch(keysOf(conversationId));
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
        if (left <= 0) return { redacted, nextCursor: encodeCursor(cursor) };
        const redactPage = cursor.coldAfter === undefined ? redactStored : redactCold;
        const page: RedactedPage = await redactPage(userId, cursor, Math.min(left, messagesPerTransaction));
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
): Promise<{ lastSeqId: number; lastChangeSeq: number; coldUntil: number; written: Written[] }> {
  const { userId, conversationId, after, limit } = page;
  const [heads, written] = (await tx.batch(
    [
      formatSql(
        `SELECT last_seq_id, last_change_seq, cold_until_seq FROM conversation_heads
         WHERE conversation_id = ? FOR UPDATE`,
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
  )) as [{ last_seq_id: number; last_change_seq: number; cold_until_seq: number }[], Written[]];
  const [head] = heads;
  return {
    lastSeqId: head?.last_seq_id ?? 0,
    lastChangeSeq: head?.last_change_seq ?? 0,
    coldUntil: head?.cold_until_seq ?? 0,
    written,
  };
}

/** Notes that the objects of archived messages hold what was redacted. */
function noteChanges(conversationId: number, coldUntil: number, written: readonly Written[]): string[] {
  const archived = written.filter(({ seq_id }) => seq_id <= coldUntil);
  return archived.length === 0
    ? []
    : [
        noteColdChanges(
          conversationId,
          archived.map(({ seq_id }) => seq_id),
        ),
      ];
}
