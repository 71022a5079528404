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

/** Returns the function that makes an account a member of the world room, unless it is one or is erased. */
export function createWorldRoom(deps: { databases: Databases; cache: Cache }) {
  const { databases, cache } = deps;
  return async (userId: number): Promise<void> => {
    const [account] = await databases.users.query<{ status: number; created_at: number }>(
      'SELECT status, created_at FROM users WHERE id = ?',
      [userId],
    );
    if (account?.status !== accountStatus.active) return;
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
             VALUES (${userId}, ${worldRoomId}, ${memberRole.member}, FALSE, ${account.created_at})`,
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
