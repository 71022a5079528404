import { codeOf } from '../../../lib/errors.ts';
import type { User } from '../../../lib/gen/im_repo/v1/user.ts';
import type { Logger } from '../../../lib/log.ts';
import type { Cache } from '../cache/cache.ts';
import { domainEvent, insertEvents, type Outbox } from '../outbox/outbox.ts';
import { forgetProjection, noteProjection, pendingProjection } from '../projections/projections.ts';
import { formatSql } from '../storage/database.ts';
import type { Databases } from '../storage/databases.ts';
import { createAccountNames } from './account-names.ts';
import { createWorldRoom, worldProjection } from './world-room.ts';

/**
 * Stores a new account, with its name in the directory and its place in the world room. `owned` are statements that
 * run in the directory's transaction. Throws USERNAME_TAKEN or the error of one of those statements.
 */
type InsertUser = (user: User, passwordHash: string | null, owned?: readonly string[]) => Promise<void>;

export function createInsertUser(deps: {
  databases: Databases;
  cache: Cache;
  outbox: Outbox;
  log: Logger;
}): InsertUser {
  const { databases, outbox, log } = deps;
  const names = createAccountNames(deps);
  const joinWorld = createWorldRoom(deps);

  return async (user, passwordHash, owned = []) => {
    const { id, username, displayName, avatarUrl, isGuest, createdAt } = user;
    const userId = Number(id);
    const reservation = await names.reserve(userId, username, owned);
    const world = pendingProjection(worldProjection, id);
    await databases.users.transaction((tx) =>
      tx.batchAndCommit(
        [
          formatSql(
            `INSERT INTO users (id, username, password_hash, display_name, avatar_url, is_guest, last_active_at, created_at, updated_at)
             VALUES (?)`,
            [
              [
                userId,
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
          insertEvents([domainEvent({ type: 'user.created', actor_id: id, user_id: id })]),
          noteProjection(world),
        ].join(';\n'),
      ),
    );
    outbox.wake();
    // The account exists: what fails from here on is written later by the worker of projections.
    const results = await Promise.allSettled([
      names.confirm(reservation),
      joinWorld(userId, createdAt).then(() => databases.users.execute(forgetProjection(world))),
    ]);
    for (const result of results) {
      if (result.status === 'rejected')
        log.warn({ err: result.reason, code: codeOf(result.reason) }, 'cannot project a new account now');
    }
  };
}
