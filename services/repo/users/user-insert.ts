import { memberRole } from '../../../lib/domain/enumerations.ts';
import { worldRoomId } from '../../../lib/domain/ids.ts';
import type { User } from '../../../lib/gen/im_repo/v1/user.ts';
import type { Cache } from '../cache/cache.ts';
import { domainEvent, insertEvents, type Outbox } from '../outbox/outbox.ts';
import { basicKey } from '../rows/conversation-basic.ts';
import { type Databases, formatSql } from '../storage/database.ts';
import { insertSuffixes } from './usernames.ts';

/**
 * Stores a new account as a member of the world room. `ownedRows` are further INSERT statements that run in the same
 * transaction.
 */
type InsertUser = (user: User, passwordHash: string | null, ownedRows?: string[]) => Promise<void>;

export function createInsertUser(deps: { databases: Databases; cache: Cache; outbox: Outbox }): InsertUser {
  const { databases, cache, outbox } = deps;
  return async (user, passwordHash, ownedRows = []) => {
    const { id, username, displayName, avatarUrl, isGuest, createdAt } = user;
    await cache.change(async (touch) => {
      // The world room's number of members is cached.
      await touch([basicKey(String(worldRoomId))]);
      await databases.users.transaction((tx) =>
        // One round trip keeps the lock of the world room's head as short as possible.
        tx.batchAndCommit(
          [
            formatSql(
              `INSERT INTO users (id, username, password_hash, display_name, avatar_url, is_guest, last_active_at, created_at, updated_at)
               VALUES (?)`,
              [
                [
                  Number(id),
                  username,
                  passwordHash,
                  displayName,
                  avatarUrl,
                  isGuest,
                  createdAt,
                  createdAt,
                  createdAt,
                ],
              ],
            ),
            ...ownedRows,
            ...insertSuffixes(Number(id), username),
            `UPDATE conversation_heads SET member_version = member_version + 1 WHERE conversation_id = ${worldRoomId}`,
            `UPDATE conversations SET member_count = member_count + 1 WHERE id = ${worldRoomId}`,
            `INSERT INTO conversation_members (user_id, conversation_id, role, muted, joined_at)
             VALUES (${id}, ${worldRoomId}, ${memberRole.member}, FALSE, ${createdAt})`,
            `INSERT INTO user_read_pointers (user_id, conversation_id, last_read_seq_id, updated_at)
             SELECT ${id}, conversation_id, last_seq_id, ${createdAt} FROM conversation_heads WHERE conversation_id = ${worldRoomId}`,
            insertEvents([domainEvent({ type: 'user.created', actor_id: id, user_id: id })]),
          ].join(';\n'),
        ),
      );
    });
    outbox.wake();
  };
}
