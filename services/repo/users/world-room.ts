import { accountStatus, memberRole } from '../../../lib/domain/enumerations.ts';
import { worldRoomId } from '../../../lib/domain/ids.ts';
import type { Cache } from '../cache/cache.ts';
import { basicKey } from '../rows/conversation-basic.ts';
import { membershipsKey } from '../rows/memberships.ts';
import { databaseTime } from '../storage/change-time.ts';
import { isDuplicateKey } from '../storage/database.ts';
import type { Databases } from '../storage/databases.ts';

/** The kind of these projections: an account is a member of the world room. */
export const worldProjection = 'world';

/**
 * Returns the function that makes an account a member of the world room, unless it is one or is erased. The account's
 * creation time is read unless it is given.
 */
export function createWorldRoom(deps: { databases: Databases; cache: Cache }) {
  const { databases, cache } = deps;

  async function readCreation(userId: number): Promise<number | undefined> {
    const [account] = await databases.users.query<{ status: number; created_at: number }>(
      'SELECT status, created_at FROM users WHERE id = ?',
      [userId],
    );
    return account?.status === accountStatus.active ? account.created_at : undefined;
  }

  return async (userId: number, known?: number): Promise<void> => {
    const createdAt = known ?? (await readCreation(userId));
    if (createdAt === undefined) return;
    await cache
      .change(async (touch) => {
        // The world room's number of members is cached.
        await touch([basicKey(String(worldRoomId)), membershipsKey(String(userId))]);
        await databases.messagesOf(worldRoomId).transaction((tx) =>
          // One round trip keeps the lock of the world room's head as short as possible.
          tx.batchAndCommit(
            [
              // Fails if the account is a member already, before anything is counted.
              `INSERT INTO conversation_members (user_id, conversation_id, role, muted, joined_at)
             VALUES (${userId}, ${worldRoomId}, ${memberRole.member}, FALSE, ${createdAt})`,
              `UPDATE conversation_heads SET member_version = member_version + 1 WHERE conversation_id = ${worldRoomId}`,
              `UPDATE conversations SET member_count = member_count + 1 WHERE id = ${worldRoomId}`,
              `INSERT INTO user_read_pointers (user_id, conversation_id, last_read_seq_id, updated_at)
             SELECT ${userId}, conversation_id, last_seq_id, ${databaseTime}
             FROM conversation_heads WHERE conversation_id = ${worldRoomId}`,
            ].join(';\n'),
          ),
        );
      })
      .catch((error: unknown) => {
        if (!isDuplicateKey(error)) throw error;
      });
  };
}
