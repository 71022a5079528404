import { chunks } from '../../../lib/chunks.ts';
import { formatSql, type Sql } from '../storage/database.ts';
import { idsPerList, isTrue } from '../storage/sql.ts';

/** What a group remembers about a former member. */
export type FormerMember = {
  userId: number;
  /** True if the owner or an admin removed the user: an ordinary member can't add the user again. */
  removed: boolean;
  /** A mute outlives leaving: a user who comes back is still muted. */
  muted: boolean;
};

/** The stored rows of these users, by user id. The caller holds the lock of the conversation's head. */
export async function readFormerMembers(
  tx: Sql,
  conversationId: number,
  userIds: readonly number[],
): Promise<ReadonlyMap<number, FormerMember>> {
  if (userIds.length === 0) return new Map();
  const rows = await tx.query<{ user_id: number; removed: number; muted: number }>(
    // Index: the primary key of conversation_former_members.
    `SELECT user_id, removed, muted FROM conversation_former_members
     WHERE conversation_id = ? AND user_id IN (?)`,
    [conversationId, userIds],
  );
  return new Map(
    rows.map((row) => [
      row.user_id,
      { userId: row.user_id, removed: isTrue(row.removed), muted: isTrue(row.muted) },
    ]),
  );
}

/** Statements that store a row for each leaving member who was removed or is muted; the others need none. */
export function rememberFormerMembers(
  conversationId: number,
  members: readonly FormerMember[],
  now: number,
): string[] {
  const remembered = members.filter(({ removed, muted }) => removed || muted);
  return chunks(remembered, idsPerList).map((some) =>
    formatSql(
      'REPLACE INTO conversation_former_members (conversation_id, user_id, removed, muted, left_at) VALUES ?',
      [some.map(({ userId, removed, muted }) => [conversationId, userId, removed, muted, now])],
    ),
  );
}

/** Statements that delete the rows of these users, for example when they are members again. */
export const forgetFormerMembers = (conversationId: number, userIds: readonly number[]): string[] =>
  chunks(userIds, idsPerList).map((some) =>
    formatSql('DELETE FROM conversation_former_members WHERE conversation_id = ? AND user_id IN (?)', [
      conversationId,
      some,
    ]),
  );
