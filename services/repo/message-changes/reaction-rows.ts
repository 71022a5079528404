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

/** The ids of the users who reacted first with an emoji, leaving one user out. */
export async function firstUsers(
  tx: Sql,
  of: { conversationId: number; seqId: number; emoji: string; without: number },
): Promise<string[]> {
  // Index: message_reactions_time, in its order.
  const rows = await tx.query<{ user_id: number }>(
    `SELECT user_id FROM message_reactions
     WHERE conversation_id = ? AND seq_id = ? AND emoji = ? AND user_id <> ?
     ORDER BY created_at, user_id LIMIT ?`,
    [of.conversationId, of.seqId, Buffer.from(of.emoji), of.without, limits.reactionUsers],
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

/** The reactions after a user took one away; `userIds` are the first users who remain. */
export const withoutUser = (
  reactions: readonly StoredReaction[],
  emoji: string,
  userIds: string[],
): StoredReaction[] =>
  reactions.flatMap((one) => {
    if (one.emoji !== emoji) return [one];
    return one.count > 1 ? [{ emoji, count: one.count - 1, userIds }] : [];
  });
