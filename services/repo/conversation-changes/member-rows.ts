import { chunks } from '../cache/cache.ts';
import { basicKey } from '../rows/conversation-basic.ts';
import { headKey } from '../rows/conversation-head.ts';
import { membershipsKey } from '../rows/memberships.ts';
import { unreadKey } from '../rows/read-pointer-cache.ts';
import { databaseTime } from '../storage/change-time.ts';
import { idsPerList } from '../storage/sql.ts';
import { touched } from './conversation-lock.ts';

const rowsPerStatement = 1000;
/** Statements that change who belongs to a conversation; its head is locked. */

/** New members with their read pointers: what was written before counts as read. Rows in the order of their keys. */
export function insertMembers(
  conversationId: number,
  members: readonly { userId: number; role: number; muted?: boolean }[],
  lastSeqId: number,
  now: number,
): string[] {
  const sorted = [...members].sort((a, b) => a.userId - b.userId);
  return chunks(sorted, rowsPerStatement).flatMap((some) => [
    `INSERT INTO conversation_members (user_id, conversation_id, role, muted, joined_at, changed_at)
     VALUES ${some.map(
       ({ userId, role, muted = false }) =>
         `(${userId},${conversationId},${role},${muted},${now},${databaseTime})`,
     )}`,
    `INSERT INTO user_read_pointers (user_id, conversation_id, last_read_seq_id, updated_at)
     VALUES ${some.map(({ userId }) => `(${userId},${conversationId},${lastSeqId},${databaseTime})`)}
     ON DUPLICATE KEY UPDATE last_read_seq_id = VALUES(last_read_seq_id), updated_at = VALUES(updated_at)`,
  ]);
}

/** Members. Their read pointers stay: by these an erased user's messages are found. */
export const deleteMembers = (conversationId: number, userIds: readonly number[]): string[] =>
  deleteRows('conversation_members', conversationId, userIds);

/** Read pointers of users who can have written nothing. */
export const deletePointers = (conversationId: number, userIds: readonly number[]): string[] =>
  deleteRows('user_read_pointers', conversationId, userIds);

const deleteRows = (table: string, conversationId: number, userIds: readonly number[]): string[] =>
  // Index: the primary key of both tables.
  chunks(
    [...userIds].sort((a, b) => a - b),
    idsPerList,
  ).map((ids) => `DELETE FROM ${table} WHERE user_id IN (${ids}) AND conversation_id = ${conversationId}`);

/** What every change of the member set brings with it. It comes last, since the members' own rows may be waited for. */
export const countMembers = (conversationId: number, difference: number, now: number): string[] => [
  `UPDATE conversation_heads SET member_version = member_version + 1 WHERE conversation_id = ${conversationId}`,
  `UPDATE conversations SET member_count = member_count + ${difference}, ${touched(now)} WHERE id = ${conversationId}`,
];

/** The cached values that depend on what a conversation is. */
export const conversationKeys = (conversationId: number): string[] => [
  basicKey(String(conversationId)),
  headKey(String(conversationId)),
];

/** The cached values that depend on who belongs to it. */
export const memberKeys = (userIds: readonly number[]): string[] =>
  userIds.flatMap((userId) => [membershipsKey(String(userId)), unreadKey(String(userId))]);
