import { chunks } from '../../../lib/chunks.ts';
import { basicKey } from '../rows/conversation-basic.ts';
import { headKey } from '../rows/conversation-head.ts';
import { membershipsKey } from '../rows/memberships.ts';
import { unreadKey } from '../rows/read-pointer-cache.ts';
import { databaseTime } from '../storage/change-time.ts';
import { idsPerList } from '../storage/sql.ts';
import { changeTimes } from './conversation-lock.ts';

// Statements that change who belongs to a conversation. The caller holds the lock of its head.

const rowsPerStatement = 1000;

/**
 * Inserts members with their read pointers at `lastSeqId`, so that earlier messages count as read. Rows are in the
 * order of their keys, as in every writer of these tables, to avoid deadlocks. `now` is in Unix milliseconds.
 */
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

/** Deletes members, but not their read pointers: the erasure of a user finds that user's messages by them. */
export const deleteMembers = (conversationId: number, userIds: readonly number[]): string[] =>
  deleteRows('conversation_members', conversationId, userIds);

/** Deletes read pointers. Only for users who have no messages left in the conversation. */
export const deletePointers = (conversationId: number, userIds: readonly number[]): string[] =>
  deleteRows('user_read_pointers', conversationId, userIds);

const deleteRows = (table: string, conversationId: number, userIds: readonly number[]): string[] =>
  // Index: the primary key of both tables.
  chunks(
    [...userIds].sort((a, b) => a - b),
    idsPerList,
  ).map((ids) => `DELETE FROM ${table} WHERE user_id IN (${ids}) AND conversation_id = ${conversationId}`);

/**
 * Updates the member version and count after a change of the member set. These statements come last in a transaction:
 * the statements on the members' rows may wait for locks, and a change time must be written close to the commit.
 */
export const countMembers = (conversationId: number, difference: number, now: number): string[] => [
  `UPDATE conversation_heads SET member_version = member_version + 1 WHERE conversation_id = ${conversationId}`,
  `UPDATE conversations SET member_count = member_count + ${difference}, ${changeTimes(now)} WHERE id = ${conversationId}`,
];

/** The cache keys that a change of the conversation's own row invalidates. */
export const conversationKeys = (conversationId: number): string[] => [
  basicKey(String(conversationId)),
  headKey(String(conversationId)),
];

/** The cache keys that a change of these users' memberships invalidates. */
export const memberKeys = (userIds: readonly number[]): string[] =>
  userIds.flatMap((userId) => [membershipsKey(String(userId)), unreadKey(String(userId))]);
