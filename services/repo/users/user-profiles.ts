// Room: users as others see them (names, profiles, search) and their settings. Passwords and sessions do not belong
// here.

import { accountStatus } from '../../../lib/domain/enumerations.ts';
import { parseId } from '../../../lib/domain/ids.ts';
import { limitOf, limits } from '../../../lib/domain/limits.ts';
import { isUsernamePart } from '../../../lib/domain/names.ts';
import { userNotFound } from '../../../lib/domain/refusals.ts';
import { GoChatError } from '../../../lib/errors.ts';
import type { User, UserServiceService } from '../../../lib/gen/im_repo/v1/user.ts';
import type { UnaryHandlers } from '../../../lib/grpc/definition.ts';
import type { Cache } from '../cache/cache.ts';
import type { FileLinks } from '../file-links/file-links.ts';
import { changeOwnPicture } from '../files/own-picture.ts';
import { domainEvent, type Outbox, writeEvents } from '../outbox/outbox.ts';
import {
  isErased,
  toUserCard,
  type UserCards,
  type UserRow,
  userColumns,
  userInfoKey,
} from '../rows/user-cards.ts';
import type { SqlValue } from '../storage/database.ts';
import type { Databases } from '../storage/databases.ts';
import { createAccountNames } from './account-names.ts';
import { searchUsers } from './user-search.ts';
import { isSameName } from './usernames.ts';

const maxIds = 5000;

type Handlers = Pick<
  UnaryHandlers<typeof UserServiceService>,
  'getUser' | 'getUsers' | 'getUserByUsername' | 'searchUsersByUsername' | 'updateUser'
>;

/** Reads, searches and changes profiles. */
export function createUserProfiles(deps: {
  databases: Databases;
  cache: Cache;
  userCards: UserCards;
  outbox: Outbox;
  links: FileLinks;
}): Handlers {
  const { databases, cache, userCards, outbox, links } = deps;
  const names = createAccountNames(deps);

  async function cardById(userId: string): Promise<User> {
    const user = (await userCards.byIds([userId])).get(userId);
    if (!user || isErased(user)) throw userNotFound();
    return user;
  }

  return {
    getUser: async ({ userId }) => ({ user: await cardById(userId) }),

    async getUsers({ userIds }) {
      if (userIds.length > maxIds) throw new GoChatError('INVALID_ARGUMENT', `At max ${maxIds} users.`);
      const found = await userCards.byIds(userIds);
      return {
        users: userIds
          .map((id) => found.get(id))
          .filter((user): user is User => user !== undefined && !isErased(user)),
      };
    },

    async getUserByUsername({ username }) {
      const id = await names.userIdOf(username);
      if (id === undefined) throw userNotFound();
      const user = await cardById(String(id));
      if (!isSameName(user.username, username)) throw userNotFound();
      return { user };
    },

    async searchUsersByUsername({ query, limit }) {
      const max = limitOf(limit, limits.searchResults);
      const found = isUsernamePart(query) ? await searchUsers(databases, query, max) : [];
      return { users: found.map((row) => links.user(toUserCard(row))) };
    },

    async updateUser({ userId, avatarUrl, displayName }) {
      const id = parseId(userId);
      if (!id) throw userNotFound();
      const changes: [string, SqlValue][] = [];
      if (avatarUrl !== undefined) changes.push(['avatar_url', avatarUrl]);
      if (displayName !== undefined) changes.push(['display_name', displayName]);
      if (changes.length === 0) return { user: await cardById(userId) };

      const user = await cache.change(async (touch) => {
        await touch([userInfoKey(userId)]);
        return databases.users.transaction(async (tx) => {
          if (avatarUrl !== undefined) await changeOwnPicture(tx, id, avatarUrl);
          const { affectedRows } = await tx.execute(
            `UPDATE users SET ${changes.map(([column]) => `${column} = ?, `).join('')} updated_at = ?
             WHERE id = ? AND status = ${accountStatus.active}`,
            [...changes.map(([, value]) => value), Date.now(), id],
          );
          if (affectedRows === 0) throw userNotFound();
          const [row] = await tx.query<UserRow>(`SELECT ${userColumns} FROM users WHERE id = ?`, [id]);
          await writeEvents(tx, [domainEvent({ type: 'user.updated', actor_id: userId, user_id: userId })]);
          return row && links.user(toUserCard(row));
        });
      });
      outbox.wake();
      return { user };
    },
  };
}
