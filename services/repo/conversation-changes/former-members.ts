import { chunks } from '../cache/cache.ts';
import { formatSql, type Sql } from '../storage/database.ts';
import { idsPerList, isTrue } from '../storage/sql.ts';

/** What a group remembers of somebody who is a member no more. */
export type FormerMember = {
  userId: number;
  /** By the owner or an admin: an ordinary member can't bring the user back. */
  removed: boolean;
  /** Outlives leaving: whoever comes back is muted as before. */
  muted: boolean;
};

/** Those of these users of whom something is remembered. The conversation's head is locked. */
export async function readFormerMembers(
  tx: Sql,
  conversationId: number,
  userIds: readonly number[],
): Promise<ReadonlyMap<number, FormerMember>> {
  if (userIds.length === 0) return new Map();
  const rows = await tx.query<{ user_id: number; removed: number; muted: number }>(
    // By primary key.
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

/** Statements that remember what there is to remember of members who go. */
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

/** Statements that forget it of those who are back. */
export const forgetFormerMembers = (conversationId: number, userIds: readonly number[]): string[] =>
  chunks(userIds, idsPerList).map((some) =>
    formatSql('DELETE FROM conversation_former_members WHERE conversation_id = ? AND user_id IN (?)', [
      conversationId,
      some,
    ]),
  );
