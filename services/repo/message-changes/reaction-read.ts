import { limits } from '../../../lib/domain/limits.ts';
import { pageOf, readPaging } from '../../../lib/domain/paging.ts';
import { invalid, messageNotFound } from '../../../lib/domain/refusals.ts';
import type {
  GetOwnReactionsRequest,
  GetOwnReactionsResponse,
  GetReactionsRequest,
  GetReactionsResponse,
} from '../../../lib/gen/im_repo/v1/message.ts';
import type { ColdMessages } from '../cold/cold-messages.ts';
import type { RequireMember } from '../rows/memberships.ts';
import { cardOf, type UserCards } from '../rows/user-cards.ts';
import { formatSql } from '../storage/database.ts';
import type { Databases } from '../storage/databases.ts';
import { emojiOf } from './reaction-rows.ts';

type Row = { emoji: Buffer; user_id: number; created_at: number };

/** Reads single reactions, for members. What pages show of reactions lies in the messages' rows. */
export function createReactionRead(deps: {
  databases: Databases;
  cold: Pick<ColdMessages, 'byId'>;
  userCards: UserCards;
  requireMember: RequireMember;
}) {
  const { databases, cold, userCards, requireMember } = deps;
  return {
    /** The reactions to a message, the earliest first. Throws MESSAGE_NOT_FOUND or INVALID_ARGUMENT. */
    async ofMessage(request: GetReactionsRequest): Promise<GetReactionsResponse> {
      const conversationId = await requireMember(request.userId, request.conversationId);
      const { limit, offset, after } = readPaging('reactions', request);
      const database = databases.messagesOf(request.conversationId);
      const [row] = await database.query<{ seq_id: number }>(
        'SELECT seq_id FROM messages WHERE id = ? AND conversation_id = ?',
        [request.messageId, conversationId],
      );
      const message = row ?? (await cold.byId(conversationId, request.messageId));
      if (!message) throw messageNotFound();
      const behind = after
        ? formatSql('AND (created_at, user_id, emoji) > (?, ?, ?)', [
            after[0],
            after[1],
            Buffer.from(after[2]),
          ])
        : '';
      const found = await database.query<Row>(
        // Index: message_reactions_time, in its order.
        `SELECT emoji, user_id, created_at FROM message_reactions FORCE INDEX (message_reactions_time)
         WHERE conversation_id = ${conversationId} AND seq_id = ${message.seq_id} ${whereEmoji(request.emoji)} ${behind}
         ORDER BY created_at, user_id, emoji LIMIT ${limit + 1} OFFSET ${offset}`,
      );
      const { rows, hasMore, nextCursor } = pageOf('reactions', found, limit, (row) => [
        row.created_at,
        row.user_id,
        row.emoji.toString('utf8'),
      ]);
      const users = await userCards.byIds(rows.map(({ user_id }) => String(user_id)));
      const reactions = rows.map(({ emoji, user_id, created_at }) => ({
        emoji: emoji.toString('utf8'),
        user: cardOf(users, String(user_id)),
        createdAt: created_at,
      }));
      return { reactions, hasMore, nextCursor };
    },

    /** The member's own reactions to a range of messages. Throws INVALID_ARGUMENT. */
    async own(request: GetOwnReactionsRequest): Promise<GetOwnReactionsResponse> {
      const { userId, fromSeqId, toSeqId } = request;
      const conversationId = await requireMember(userId, request.conversationId);
      const rows = await databases.messagesOf(request.conversationId).query<{ id: number; emoji: Buffer }>(
        // Indexes: message_reactions_user, and the primary key of messages.
        `SELECT m.id, r.emoji FROM message_reactions r FORCE INDEX (message_reactions_user)
           JOIN messages m ON m.conversation_id = r.conversation_id AND m.seq_id = r.seq_id
           WHERE r.conversation_id = ? AND r.user_id = ? AND r.seq_id BETWEEN ? AND ?
           ORDER BY r.seq_id, r.created_at LIMIT ?`,
        [conversationId, Number(userId), fromSeqId, toSeqId, limits.ownReactions + 1],
      );
      if (rows.length > limits.ownReactions)
        throw invalid(
          'toSeq',
          `must be lower: you have more than ${limits.ownReactions} reactions in the range`,
        );
      return {
        reactions: rows.map(({ id, emoji }) => ({ messageId: id, emoji: emoji.toString('utf8') })),
      };
    },
  };
}

const whereEmoji = (text: string | undefined): string =>
  text === undefined ? '' : formatSql('AND emoji = ?', [Buffer.from(emojiOf(text))]);
