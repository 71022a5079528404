import { parseId } from '../../../lib/domain/ids.ts';
import { GoChatError } from '../../../lib/errors.ts';
import type { RedactMessagesRequest, RedactMessagesResponse } from '../../../lib/gen/im_repo/v1/message.ts';
import { requireClosed } from '../accounts/user-closing.ts';
import type { Cache } from '../cache/cache.ts';
import { deletePointers } from '../conversation-changes/member-rows.ts';
import { userIdOf } from '../rows/conversation-access.ts';
import { basicKey } from '../rows/conversation-basic.ts';
import { headKey } from '../rows/conversation-head.ts';
import { storeRecalls } from '../rows/recall-counts.ts';
import { type Databases, formatSql, type Transaction } from '../storage/database.ts';

const usualLimit = 500;
const highestLimit = 2000;
/** Messages of one transaction: the conversation's head is locked meanwhile, and senders wait. */
const messagesAtOnce = 200;
/** Conversations that a call looks at, for users who were in many and wrote in few. */
const conversationsAtOnce = 50;

/**
 * Where the next page begins: behind a client_msg_id. `head` is the last seq id when the conversation's first page was
 * read; `after` is empty, and `head` 0, before that.
 */
type Cursor = { conversationId: number; after: Buffer; head: number };
type Written = { seq_id: number; id: number; client_msg_id: Buffer; deleted: number; is_empty: number };

/**
 * Empties what a closed account wrote, wherever it was: its read pointers name the conversations, those that it left and
 * those that were dissolved too. A pointer goes when nothing of its conversation is left, so that whoever begins anew,
 * with an empty cursor, goes on there. Members learn of it from /sync, as of any recall; there is no event for each.
 */
export function createMessageRedact(deps: { databases: Databases; cache: Cache }) {
  const { databases, cache } = deps;

  /** One page of one conversation. Undefined when its pointer has gone, else where the next one begins. */
  const redactPage = (userId: number, cursor: Cursor, limit: number) =>
    cache.change((touch) =>
      databases.messagesOf(String(cursor.conversationId)).transaction(async (tx) => {
        const { conversationId } = cursor;
        const { lastSeqId, written } = await readWritten(tx, { ...cursor, userId, limit });
        const head = cursor.after.length === 0 ? lastSeqId : cursor.head;
        const last = written.length < limit ? undefined : written.at(-1);
        let next = last && { conversationId, after: last.client_msg_id, head };
        if (!last && (await isAnyMissed(tx, { conversationId, userId, head, written })))
          next = beginningOf(conversationId);
        const filled = written.filter((one) => one.deleted === 0 || one.is_empty === 0);
        const statements = [
          ...(next ? [] : deletePointers(conversationId, [userId])),
          ...(filled.length === 0 ? [] : redactStatements(conversationId, userId, filled)),
        ];
        if (filled.length > 0)
          await touch([headKey(String(conversationId)), basicKey(String(conversationId))]);
        if (statements.length > 0) await tx.batchAndCommit(statements.join(';\n'));
        return { read: written.length, redacted: filled.length, next };
      }),
    );

  return async (request: RedactMessagesRequest): Promise<RedactMessagesResponse> => {
    const userId = userIdOf(request.userId);
    await requireClosed(databases.users, userId);
    const from = readCursor(request.cursor);
    let left = Math.min(request.limit > 0 ? request.limit : usualLimit, highestLimit);
    let redacted = 0;
    // Index: the primary key of user_read_pointers.
    const pointers = await databases.conversations.query<{ conversation_id: number }>(
      `SELECT conversation_id FROM user_read_pointers WHERE user_id = ? AND conversation_id >= ?
       ORDER BY conversation_id LIMIT ?`,
      [userId, from.conversationId, conversationsAtOnce + 1],
    );
    for (const { conversation_id: conversationId } of pointers.slice(0, conversationsAtOnce)) {
      let cursor: Cursor | undefined =
        conversationId === from.conversationId ? from : beginningOf(conversationId);
      while (cursor) {
        if (left === 0) return { redacted, nextCursor: cursorText(cursor) };
        const page = await redactPage(userId, cursor, Math.min(left, messagesAtOnce));
        left -= page.read;
        redacted += page.redacted;
        cursor = page.next;
      }
    }
    const next = pointers[conversationsAtOnce];
    return { redacted, nextCursor: next ? cursorText(beginningOf(next.conversation_id)) : '' };
  };
}

/** Under the head's lock, which whoever stores messages holds: what comes after it is stored with a pointer of its own. */
async function readWritten(
  tx: Transaction,
  page: Cursor & { userId: number; limit: number },
): Promise<{ lastSeqId: number; written: Written[] }> {
  const { userId, conversationId, after, limit } = page;
  const [heads, written] = (await tx.batch(
    [
      formatSql('SELECT last_seq_id FROM conversation_heads WHERE conversation_id = ? FOR UPDATE', [
        conversationId,
      ]),
      formatSql(
        `SELECT seq_id, id, client_msg_id, deleted,
           content = '' AND extra IS NULL AS is_empty
         FROM messages FORCE INDEX (messages_client_msg_id)
         WHERE conversation_id = ? AND sender_id = ? AND client_msg_id > ?
         ORDER BY client_msg_id LIMIT ?`,
        [conversationId, userId, after, limit],
      ),
    ].join(';\n'),
  )) as [{ last_seq_id: number }[], Written[]];
  return { lastSeqId: heads[0]?.last_seq_id ?? 0, written };
}

/**
 * Whether something was stored since the first page that no page finds: its client_msg_id is below those that were read by
 * then. Primary key: a range of what was written meanwhile.
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

/** With whom it speaks of, and to what it replies, in `extra`. The recalls count it out of what is unread. */
function redactStatements(conversationId: number, userId: number, written: readonly Written[]): string[] {
  const fresh = written.filter(({ deleted }) => deleted === 0);
  return [
    formatSql(
      `UPDATE messages SET content = '', extra = NULL, deleted = TRUE WHERE conversation_id = ? AND seq_id IN (?)`,
      [conversationId, written.map(({ seq_id }) => seq_id).sort((a, b) => a - b)],
    ),
    ...(fresh.length === 0
      ? []
      : storeRecalls(
          conversationId,
          fresh.map(({ seq_id, id }) => ({ seqId: seq_id, messageId: id, by: userId })),
        )),
  ];
}

const beginningOf = (conversationId: number): Cursor => ({
  conversationId,
  after: Buffer.alloc(0),
  head: 0,
});

const cursorText = ({ conversationId, after, head }: Cursor): string =>
  `${conversationId}:${after.toString('hex')}:${head}`;

function readCursor(cursor: string): Cursor {
  if (cursor === '') return beginningOf(0);
  const [, id = '', after = '', head = ''] = /^([0-9]+):((?:[0-9a-f]{2})*):([0-9]{1,16})$/.exec(cursor) ?? [];
  const conversationId = parseId(id);
  if (conversationId === undefined) throw new GoChatError('INVALID_ARGUMENT', 'This cursor is none of ours.');
  return { conversationId, after: Buffer.from(after, 'hex'), head: Number(head) };
}
