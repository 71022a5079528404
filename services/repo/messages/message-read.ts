import { parseId } from '../../../lib/domain/ids.ts';
import { limits } from '../../../lib/domain/limits.ts';
import { GoChatError } from '../../../lib/errors.ts';
import {
  GetMessagesResponse as codec,
  type GetMessageRangeRequest,
  type GetMessagesRequest,
  type GetMessagesResponse,
  type Message,
} from '../../../lib/gen/im_repo/v1/message.ts';
import type { Encoded } from '../../../lib/grpc/definition.ts';
import { toMessagePage } from '../../../lib/wire/message.ts';
import type { Cache, Reading } from '../cache/cache.ts';
import { conversationIdOf, noAccess, notMember } from '../rows/conversation-access.ts';
import { readBasics } from '../rows/conversation-basic.ts';
import { readHeads } from '../rows/conversation-head.ts';
import { isAmong, readMemberships, userMemberships } from '../rows/memberships.ts';
import { fromMessageRow, type MessageRow, messageColumns, toMessage } from '../rows/message-rows.ts';
import { pageAnswers, type TaggedPage } from '../rows/page-answers.ts';
import type { UserCards } from '../rows/user-cards.ts';
import type { Databases } from '../storage/database.ts';

export type MessageReadDeps = { databases: Databases; cache: Cache; userCards: UserCards };

/**
 * This many messages of the largest size, with their senders, are less than half of what a client accepts per answer.
 */
const maxRange = 200;
const answers = pageAnswers<GetMessagesResponse>(codec, { messages: [], hasMore: false }, toMessagePage);

/**
 * Reads history. Every page is one range of the messages' primary key, at any depth. The tags of pages are cached, so
 * that a caller that has an unchanged page gets only the answer `unchanged`.
 */
export function createMessageRead({ databases, cache, userCards }: MessageReadDeps) {
  async function withSenders(
    rows: readonly MessageRow[],
    from: Pick<Cache, 'read'> = cache,
  ): Promise<Message[]> {
    const stored = rows.map(fromMessageRow);
    const senders = await userCards.byIds(
      stored.map(({ senderId }) => senderId),
      from,
    );
    return stored.map((message) => toMessage(message, senders));
  }

  /**
   * Builds a page and reads through `from` everything that invalidates its tag: the senders' cards, the recalls, and
   * the head if a new message could appear on the page.
   */
  async function build(reading: Reading, from: Reading, wanted: GetMessagesRequest, statement: string) {
    const ids = [wanted.conversationId];
    const heads = await readHeads({ databases, cache: reading }, ids);
    // The values are not used: these reads only make the tag depend on them. They come before the read of the messages,
    // so that no change in between goes unnoticed.
    await readBasics({ databases, cache: from }, ids);
    if (!endsBefore(heads.get(wanted.conversationId)?.lastSeqId, wanted)) {
      await readHeads({ databases, cache: from }, ids);
    }
    const rows = await databases.messagesOf(wanted.conversationId).query<MessageRow>(statement);
    const page = rows.slice(0, wanted.limit);
    if (wanted.afterSeqId === undefined) page.reverse();
    const messages = await withSenders(page, from);
    return answers.full({ messages, hasMore: rows.length > wanted.limit }, wanted.asJson ?? false);
  }

  return {
    /**
     * A page of history for a member, ascending by seq id, or `unchanged` if its tag is the request's `knownTag`.
     * Throws CONVERSATION_NOT_FOUND, NOT_CONVERSATION_MEMBER or INVALID_ARGUMENT.
     */
    async page(request: GetMessagesRequest): Promise<Encoded<GetMessagesResponse>> {
      const conversationId = conversationIdOf(request.conversationId);
      if (parseId(request.userId) === undefined) throw notMember();
      const wanted = { ...request, conversationId: String(conversationId), limit: readLimit(request.limit) };
      const statement = pageStatement(conversationId, wanted, wanted.limit + 1);
      const reading = await cache.reading([[userMemberships, request.userId]]);
      const memberships = await readMemberships({ databases, cache: reading }, request.userId);
      if (!isAmong(memberships, wanted.conversationId)) {
        throw await noAccess(databases.conversations, conversationId);
      }

      const { beforeSeqId, afterSeqId, limit, asJson } = wanted;
      let built: TaggedPage<GetMessagesResponse> | undefined;
      const key = ['messages', conversationId, beforeSeqId, afterSeqId, limit, asJson].join(' ');
      const tag = await reading.derive(key, async (from) => {
        built = await build(reading, from, wanted, statement);
        return { value: built.tag, bytes: built.tag.length };
      });
      if (tag === request.knownTag) return answers.unchanged(tag);
      return built ?? build(reading, reading, wanted, statement);
    },

    /**
     * The messages of a range of seq ids, both ends included, without a check of membership. Throws INVALID_ARGUMENT.
     */
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

    /** One message, for the answer to a call that stored it. */
    async one(conversationId: string, seqId: number): Promise<Message | undefined> {
      const [message] = await this.range({ conversationId, firstSeqId: seqId, lastSeqId: seqId });
      return message;
    },
  };
}

/** True if a message after the page is stored already, so that no new message can appear on the page. */
const endsBefore = (lastSeqId = 0, { beforeSeqId, afterSeqId, limit }: GetMessagesRequest): boolean =>
  Math.min(beforeSeqId ?? Infinity, afterSeqId === undefined ? Infinity : afterSeqId + limit + 1) <=
  lastSeqId;

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
  if (limit === 0) return limits.page.usual;
  if (limit >= 1 && limit <= limits.page.most) return limit;
  throw new GoChatError('INVALID_ARGUMENT', `limit must be 1 to ${limits.page.most}.`);
}
