import { GoChatError } from '../../lib/errors.ts';
import type {
  GetMessageRangeRequest,
  GetMessagesRequest,
  GetMessagesResponse,
  Message,
} from '../../lib/gen/im_repo/v1/message.ts';
import { conversationIdOf, noAccess, notMember } from './conversation-access.ts';
import { type Databases, formatSql } from './database.ts';
import { parseId } from './ids.ts';
import { fromMessageRow, type MessageRow, messageColumns, toMessage } from './message-rows.ts';
import type { UserCards } from './user-cards.ts';

export type MessageReadDeps = { databases: Databases; userCards: UserCards };

const defaultLimit = 50;
const maxLimit = 200;
const maxRange = 1000;

/** Reads history: every page is one range of the messages' primary key, whatever its depth. */
export function createMessageRead({ databases, userCards }: MessageReadDeps) {
  async function withSenders(rows: readonly MessageRow[]): Promise<Message[]> {
    const stored = rows.map(fromMessageRow);
    const senders = await userCards.byIds(stored.map(({ senderId }) => senderId));
    return stored.map((message) => toMessage(message, senders));
  }

  return {
    /** A page of history for a member, ascending by seq id. */
    async page(request: GetMessagesRequest): Promise<GetMessagesResponse> {
      const conversationId = conversationIdOf(request.conversationId);
      const userId = parseId(request.userId);
      if (userId === undefined) throw notMember();
      const limit = readLimit(request.limit);
      const database = databases.messagesOf(request.conversationId);
      const [members, rows] = (await database.batch(
        [
          formatSql(
            `SELECT 1 FROM conversation_members m JOIN conversations c ON c.id = m.conversation_id
             WHERE m.user_id = ? AND m.conversation_id = ? AND c.status = 1`,
            [userId, conversationId],
          ),
          pageStatement(conversationId, request, limit + 1),
        ].join(';\n'),
      )) as [unknown[], MessageRow[]];
      if (members.length === 0) throw await noAccess(database, conversationId);
      const page = rows.slice(0, limit);
      if (request.afterSeqId === undefined) page.reverse();
      return { messages: await withSenders(page), hasMore: rows.length > limit };
    },

    /** Messages of a range of seq ids, both ends included, without asking who wants them. */
    async range({ conversationId, firstSeqId, lastSeqId }: GetMessageRangeRequest): Promise<Message[]> {
      const id = conversationIdOf(conversationId);
      if (lastSeqId - firstSeqId >= maxRange) {
        throw new GoChatError('INVALID_ARGUMENT', `A range has at most ${maxRange} messages.`);
      }
      const rows = await databases.messagesOf(conversationId).query<MessageRow>(
        `SELECT ${messageColumns()} FROM messages
         WHERE conversation_id = ? AND seq_id BETWEEN ? AND ? ORDER BY seq_id`,
        [id, firstSeqId, lastSeqId],
      );
      return withSenders(rows);
    },

    /** One message, for the answer to whoever stored it. */
    async one(conversationId: string, seqId: number): Promise<Message | undefined> {
      const [message] = await this.range({ conversationId, firstSeqId: seqId, lastSeqId: seqId });
      return message;
    },
  };
}

function pageStatement(
  conversationId: number,
  { beforeSeqId, afterSeqId }: GetMessagesRequest,
  limit: number,
): string {
  const select = `SELECT ${messageColumns()} FROM messages WHERE conversation_id = ${conversationId}`;
  const before = beforeSeqId === undefined ? '' : ` AND seq_id < ${readBound(beforeSeqId, 'beforeSeqId')}`;
  return afterSeqId === undefined
    ? `${select}${before} ORDER BY seq_id DESC LIMIT ${limit}`
    : `${select}${before} AND seq_id > ${readBound(afterSeqId, 'afterSeqId')} ORDER BY seq_id LIMIT ${limit}`;
}

function readBound(seqId: number, path: string): number {
  if (Number.isSafeInteger(seqId) && seqId >= 0) return seqId;
  throw new GoChatError('INVALID_ARGUMENT', `${path} must not be negative.`);
}

function readLimit(limit: number): number {
  if (limit === 0) return defaultLimit;
  if (limit >= 1 && limit <= maxLimit) return limit;
  throw new GoChatError('INVALID_ARGUMENT', `limit must be 1 to ${maxLimit}.`);
}
