import { parseId } from '../../../lib/domain/ids.ts';
import { limits } from '../../../lib/domain/limits.ts';
import { invalid, messageNotFound } from '../../../lib/domain/refusals.ts';
import { GoChatError } from '../../../lib/errors.ts';
import {
  GetMessagesResponse as codec,
  type GetMessageRangeRequest,
  type GetMessageRequest,
  type GetMessagesRequest,
  type GetMessagesResponse,
  type GetPinnedMessagesRequest,
  type Message,
} from '../../../lib/gen/im_repo/v1/message.ts';
import { ReadPreference } from '../../../lib/gen/im_repo/v1/read_preference.ts';
import type { Encoded } from '../../../lib/grpc/definition.ts';
import { toMessagePage } from '../../../lib/wire/message.ts';
import type { Cache, Reading } from '../cache/cache.ts';
import type { ColdMessages, SeqRange } from '../cold/cold-messages.ts';
import type { FileLinks } from '../file-links/file-links.ts';
import { conversationIdOf, noAccess, notMember } from '../rows/conversation-access.ts';
import { readHeads } from '../rows/conversation-head.ts';
import { isAmong, type RequireMember, readMemberships, userMemberships } from '../rows/memberships.ts';
import { dependOnChanges } from '../rows/message-changes.ts';
import { fromMessageRow, type MessageRow, messageColumns, toMessage } from '../rows/message-rows.ts';
import { pageAnswers } from '../rows/page-answers.ts';
import { readTag } from '../rows/page-tags.ts';
import type { UserCards } from '../rows/user-cards.ts';
import type { Databases } from '../storage/databases.ts';
import { readerOf } from '../storage/replicas.ts';

export type MessageReadDeps = {
  databases: Databases;
  cache: Cache;
  cold: ColdMessages;
  userCards: UserCards;
  links: FileLinks;
  requireMember: RequireMember;
};

/**
 * This many messages of the largest size, with their senders, are less than half of what a client accepts per answer.
 */
const maxRange = 200;
const answers = pageAnswers<GetMessagesResponse>(codec, { messages: [], hasMore: false }, toMessagePage);

/**
 * Reads history. Every page is one range of the messages' primary key, at any depth; what the database no longer has of
 * the range comes from the cold messages. The tags of pages are cached, so
 * that a caller that has an unchanged page gets only the answer `unchanged`.
 */
export function createMessageRead({
  databases,
  cache,
  cold,
  userCards,
  links,
  requireMember,
}: MessageReadDeps) {
  async function withSenders(
    rows: readonly MessageRow[],
    from: Pick<Cache, 'read'> = cache,
  ): Promise<Message[]> {
    const stored = rows.map(fromMessageRow);
    const senders = await userCards.byIds(
      stored.map(({ senderId }) => senderId),
      from,
    );
    return stored.map((message) => toMessage(message, senders, links));
  }

  /**
   * Builds a page and reads through `from` everything that invalidates its tag: the senders' cards, the changes of
   * messages, and the head if a new message could appear on the page.
   */
  async function build(reading: Reading, from: Reading, wanted: GetMessagesRequest, statement: string) {
    const ids = [wanted.conversationId];
    const heads = await readHeads({ databases, cache: reading }, ids);
    // These reads only make the tag depend on what they read. They come before the read of the messages, so that no
    // change in between goes unnoticed.
    await dependOnChanges({ databases, cache: from }, wanted.conversationId);
    const { lastSeqId, token: newest } = heads.get(wanted.conversationId) ?? {};
    if (!endsBefore(lastSeqId, wanted)) await readHeads({ databases, cache: from }, ids);
    const fromPrimary = wanted.readPreference === ReadPreference.READ_PREFERENCE_PRIMARY;
    const token = fromPrimary ? undefined : newest;
    const reader = readerOf(databases.messagesOf(wanted.conversationId), token);
    const found = await reader.query<MessageRow>(statement);
    const rows = await completeRows(found, wanted, lastSeqId ?? 0);
    const { rows: page, ...more } = cutPage(rows, wanted);
    const messages = await withSenders(page, from);
    return answers.full({ messages, ...more }, wanted.asJson ?? false);
  }

  /** Adds archived messages, in the order of the statement. Seq ids have no gaps, so the rows show if any is missing. */
  async function completeRows(
    found: MessageRow[],
    wanted: GetMessagesRequest,
    headSeqId: number,
  ): Promise<MessageRow[]> {
    // A message may have been stored since the head was read.
    const range = rangeOf(wanted, Math.max(headSeqId, ...found.map(({ seq_id }) => seq_id)));
    if (isWhole(found, range)) return found;
    const rows = await cold.complete(Number(wanted.conversationId), found, range);
    return isNewestFirst(wanted) ? rows.reverse() : rows;
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
      const statement = pageStatement(conversationId, wanted);
      const reading = await cache.reading([[userMemberships, request.userId]]);
      const memberships = await readMemberships({ databases, cache: reading }, request.userId);
      if (!isAmong(memberships, wanted.conversationId)) {
        throw await noAccess(databases.messagesOf(conversationId), conversationId);
      }

      const { beforeSeqId, afterSeqId, aroundSeqId, limit, asJson } = wanted;
      const key = ['messages', conversationId, beforeSeqId, afterSeqId, aroundSeqId, limit, asJson].join(' ');
      const { tag, built } = await readTag({ reading, links }, key, (from) =>
        build(reading, from, wanted, statement),
      );
      if (tag === request.knownTag) return answers.unchanged(tag);
      return built ?? build(reading, reading, wanted, statement);
    },

    /** One message for a member. Throws CONVERSATION_NOT_FOUND, NOT_CONVERSATION_MEMBER or MESSAGE_NOT_FOUND. */
    async byId({ userId, conversationId, messageId }: GetMessageRequest): Promise<Message> {
      const id = await requireMember(userId, conversationId);
      const rows = await databases.messagesOf(conversationId).query<MessageRow>(
        // Index: messages_id.
        `SELECT ${messageColumns()} FROM messages WHERE id = ? AND conversation_id = ?`,
        [messageId, id],
      );
      const row = rows[0] ?? (await cold.byId(id, messageId));
      if (!row) throw messageNotFound();
      const [message] = await withSenders([row]);
      if (!message) throw messageNotFound();
      return message;
    },

    /** The pinned messages, the last pinned first. Throws CONVERSATION_NOT_FOUND or NOT_CONVERSATION_MEMBER. */
    async pinned({ userId, conversationId }: GetPinnedMessagesRequest): Promise<Message[]> {
      const id = await requireMember(userId, conversationId);
      const rows = await databases.messagesOf(conversationId).query<MessageRow>(
        // Indexes: the primary keys of both tables.
        `SELECT ${messageColumns('m')} FROM message_pins p
         JOIN messages m ON m.conversation_id = p.conversation_id AND m.seq_id = p.seq_id
         WHERE p.conversation_id = ? ORDER BY p.pinned_at DESC, p.seq_id DESC`,
        [id],
      );
      return withSenders(rows);
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
      return withSenders(await cold.complete(id, rows, { first: Math.max(1, firstSeqId), last: lastSeqId }));
    },

    /** One message, for the answer to a call that stored it. */
    async one(conversationId: string, seqId: number): Promise<Message | undefined> {
      const [message] = await this.range({ conversationId, firstSeqId: seqId, lastSeqId: seqId });
      return message;
    },
  };
}

/** True if a message after the page is stored already, so that no new message can appear on the page. */
const endsBefore = (
  lastSeqId = 0,
  { beforeSeqId, afterSeqId, aroundSeqId, limit }: GetMessagesRequest,
): boolean =>
  Math.min(
    beforeSeqId ?? Infinity,
    afterSeqId === undefined ? Infinity : afterSeqId + limit + 1,
    aroundSeqId === undefined ? Infinity : aroundSeqId + halvesOf(limit).newer + 1,
  ) <= lastSeqId;

/** How many messages of a page around a message are up to and with that message, and how many are after it. */
const halvesOf = (limit: number) => ({ older: Math.ceil(limit / 2), newer: Math.floor(limit / 2) });

/** True if `pageStatement` reads the page from its end. */
const isNewestFirst = ({ afterSeqId, aroundSeqId }: GetMessagesRequest): boolean =>
  afterSeqId === undefined && aroundSeqId === undefined;

/** The seq ids of the rows that `pageStatement` reads of a conversation whose last one is `lastSeqId`. */
function rangeOf(
  { beforeSeqId, afterSeqId, aroundSeqId, limit }: GetMessagesRequest,
  lastSeqId: number,
): SeqRange {
  const within = (first: number, last: number) => ({
    first: Math.max(1, first),
    last: Math.min(last, lastSeqId),
  });
  if (aroundSeqId !== undefined) {
    const { older, newer } = halvesOf(limit);
    const around = Math.min(aroundSeqId, lastSeqId);
    return within(around - older, aroundSeqId + newer + 1);
  }
  const before = beforeSeqId ?? Infinity;
  if (afterSeqId !== undefined) return within(afterSeqId + 1, Math.min(afterSeqId + limit + 1, before - 1));
  const last = Math.min(before - 1, lastSeqId);
  return within(last - limit, last);
}

/** True if the rows have the whole range, and nothing before it. */
function isWhole(rows: readonly MessageRow[], { first, last }: SeqRange): boolean {
  if (last < first) return rows.length === 0;
  const count = rows.reduce((sum, { seq_id }) => sum + (seq_id >= first && seq_id <= last ? 1 : 0), 0);
  return count === last - first + 1 && rows.every(({ seq_id }) => seq_id >= first);
}

/** Reads one message more than the page has, on each side where the page may end. */
function pageStatement(
  conversationId: number,
  { beforeSeqId, afterSeqId, aroundSeqId, limit }: GetMessagesRequest,
): string {
  const select = `SELECT ${messageColumns()} FROM messages WHERE conversation_id = ${conversationId}`;
  if (aroundSeqId !== undefined) {
    if (beforeSeqId !== undefined || afterSeqId !== undefined)
      throw invalid('aroundSeqId', 'must not be given beside a bound');
    const around = readBound(aroundSeqId, 'aroundSeqId');
    const { older, newer } = halvesOf(limit);
    return `(${select} AND seq_id <= ${around} ORDER BY seq_id DESC LIMIT ${older + 1})
      UNION ALL (${select} AND seq_id > ${around} ORDER BY seq_id LIMIT ${newer + 1})`;
  }
  const before = beforeSeqId === undefined ? '' : ` AND seq_id < ${readBound(beforeSeqId, 'beforeSeqId')}`;
  return afterSeqId === undefined
    ? `${select}${before} ORDER BY seq_id DESC LIMIT ${limit + 1}`
    : `${select}${before} AND seq_id > ${readBound(afterSeqId, 'afterSeqId')} ORDER BY seq_id LIMIT ${limit + 1}`;
}

/** Cuts the rows of `pageStatement` to the page, ascending by seq id, and says whether there are more. */
function cutPage(rows: readonly MessageRow[], wanted: GetMessagesRequest) {
  const { aroundSeqId, limit } = wanted;
  if (aroundSeqId === undefined) {
    const page = rows.slice(0, limit);
    if (isNewestFirst(wanted)) page.reverse();
    return { rows: page, hasMore: rows.length > limit };
  }
  const { older, newer } = halvesOf(limit);
  const upTo = rows.filter(({ seq_id }) => seq_id <= aroundSeqId).sort((a, b) => b.seq_id - a.seq_id);
  const after = rows.filter(({ seq_id }) => seq_id > aroundSeqId).sort((a, b) => a.seq_id - b.seq_id);
  const hasOlder = upTo.length > older;
  const hasNewer = after.length > newer;
  return {
    rows: [...upTo.slice(0, older).reverse(), ...after.slice(0, newer)],
    hasMore: hasOlder || hasNewer,
    hasOlder,
    hasNewer,
  };
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
