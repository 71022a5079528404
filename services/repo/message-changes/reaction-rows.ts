import { limits } from '../../../lib/domain/limits.ts';
import { invalid } from '../../../lib/domain/refusals.ts';
import { readEmoji } from '../../../lib/emoji.ts';
import { reactionsColumn, type StoredReaction } from '../rows/message-rows.ts';
import { formatSql, type Sql } from '../storage/database.ts';

/** The emoji of a request. Throws INVALID_ARGUMENT. */
export function emojiOf(text: string): string {
  const emoji = readEmoji(text);
  if (emoji === undefined) throw invalid('emoji', 'must be one emoji');
  return emoji;
}

/** The ids of the users who reacted first with an emoji, without the user `userId`. */
async function firstUsers(
  tx: Sql,
  of: { conversationId: number; seqId: number; emoji: string; userId: number },
): Promise<string[]> {
  // Index: message_reactions_time, in its order.
  const rows = await tx.query<{ user_id: number }>(
    `SELECT user_id FROM message_reactions
     WHERE conversation_id = ? AND seq_id = ? AND emoji = ? AND user_id <> ?
     ORDER BY created_at, user_id LIMIT ?`,
    [of.conversationId, of.seqId, Buffer.from(of.emoji), of.userId, limits.reactionUsers],
  );
  return rows.map(({ user_id }) => String(user_id));
}

/** The statement that stores what pages show of a message's reactions. */
export const storeReactions = (
  conversationId: number,
  seqId: number,
  reactions: readonly StoredReaction[],
): string =>
  formatSql('UPDATE messages SET reactions = ? WHERE conversation_id = ? AND seq_id = ?', [
    reactionsColumn(reactions),
    conversationId,
    seqId,
  ]);

/** The statements that delete all reactions to messages, told or not. */
export const deleteReactions = (conversationId: number, seqIds: readonly number[]): string[] =>
  ['message_reactions', 'untold_reactions'].map(
    (table) => `DELETE FROM ${table} WHERE conversation_id = ${conversationId} AND seq_id IN (${seqIds})`,
  );

/**
 * The reactions to a message after a user took one away. Only if the user was named and others were not, it is read who
 * is named now.
 */
export async function withoutUser(
  tx: Sql,
  reactions: readonly StoredReaction[],
  of: { conversationId: number; seqId: number; emoji: string; userId: number },
): Promise<StoredReaction[]> {
  const reaction = reactions.find(({ emoji }) => emoji === of.emoji);
  if (!reaction) return [...reactions];
  const { emoji, count, userIds: before } = reaction;
  if (count <= 1) return reactions.filter((one) => one !== reaction);
  const named = before.filter((id) => id !== String(of.userId));
  const isComplete = named.length === before.length || before.length === count;
  const userIds = isComplete ? named : await firstUsers(tx, of);
  return reactions.map((one) => (one === reaction ? { emoji, count: count - 1, userIds } : one));
}
