import type { User } from '../../lib/gen/im_repo/v1/user.ts';
import { deletedUser } from '../../lib/wire/user.ts';
import { type Cache, cacheKey, cacheKind } from './cache.ts';
import type { Databases } from './database.ts';
import { parseId } from './ids.ts';

export const userInfo = cacheKind<User>('user:info', 30 * 60_000);

/** What a change of a user's name, picture or state touches. */
export const userInfoKey = (userId: string): string => cacheKey(userInfo, userId);

export type UserCards = {
  /** The accounts that exist among these ids, through the cache or a reading of it. */
  byIds(userIds: Iterable<string>, from?: Pick<Cache, 'read'>): Promise<Map<string, User>>;
};

export type UserRow = {
  id: number;
  username: string;
  display_name: string;
  avatar_url: string;
  is_guest: number;
  created_at: number;
};

export const userColumns = 'id, username, display_name, avatar_url, is_guest, created_at';

export const toUserCard = (row: UserRow): User => ({
  id: String(row.id),
  username: row.username,
  displayName: row.display_name,
  avatarUrl: row.avatar_url,
  isGuest: row.is_guest === 1,
  createdAt: row.created_at,
});

/** Who stands for a user id: the account, or a placeholder for one that was erased. */
export const cardOf = (cards: ReadonlyMap<string, User>, userId: string): User =>
  cards.get(userId) ?? deletedUser(userId);

export function createUserCards(deps: { cache: Cache; databases: Databases }): UserCards {
  const load = async (missing: string[]): Promise<Map<string, User>> => {
    const ids = missing.map(parseId).filter((id) => id !== undefined);
    if (ids.length === 0) return new Map();
    const rows = await deps.databases.users.query<UserRow>(
      `SELECT ${userColumns} FROM users WHERE id IN (?) AND status = 1`,
      [ids],
    );
    return new Map(rows.map((row) => [String(row.id), toUserCard(row)]));
  };
  return {
    byIds: (userIds, from: Pick<Cache, 'read'> = deps.cache) =>
      from.read(userInfo, [...new Set(userIds)], load),
  };
}
