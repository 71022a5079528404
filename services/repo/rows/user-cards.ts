import { deletedUser } from '../../../lib/domain/deleted-user.ts';
import { accountStatus } from '../../../lib/domain/enumerations.ts';
import { parseId } from '../../../lib/domain/ids.ts';
import type { User } from '../../../lib/gen/im_repo/v1/user.ts';
import { type Cache, cacheKey, cacheKind } from '../cache/cache.ts';
import type { Databases } from '../storage/database.ts';
import { isTrue } from '../storage/sql.ts';

export const userInfo = cacheKind<User>('user:info', 30 * 60_000);

/** What a change of a user's name, picture or state touches. */
export const userInfoKey = (userId: string): string => cacheKey(userInfo, userId);

export type UserCards = {
  /**
   * The accounts that exist or existed among these ids, through the cache or a reading of it. Of an erased one there is
   * what stands for it (see `isErased`), so that it shows when it was created.
   */
  byIds(userIds: Iterable<string>, from?: Pick<Cache, 'read'>): Promise<Map<string, User>>;
};

export type UserRow = {
  id: number;
  username: string;
  display_name: string;
  avatar_url: string;
  is_guest: number;
  created_at: number;
  status: number;
};

export const userColumns = 'id, username, display_name, avatar_url, is_guest, created_at, status';

/** The card of an account; of an erased one what stands for it, with the time of its creation. */
export const toUserCard = (row: UserRow): User =>
  row.status === accountStatus.active
    ? {
        id: String(row.id),
        username: row.username,
        displayName: row.display_name,
        avatarUrl: row.avatar_url,
        isGuest: isTrue(row.is_guest),
        createdAt: row.created_at,
      }
    : { ...deletedUser(String(row.id)), createdAt: row.created_at };

/** Whether a card stands for an account that was erased. Nobody can register its name. */
export const isErased = ({ username, displayName }: User): boolean =>
  username === erasedCard.username && displayName === erasedCard.displayName;

const erasedCard = deletedUser('');

/** Who stands for a user id: the account, or a placeholder for one that was erased. */
export const cardOf = (cards: ReadonlyMap<string, User>, userId: string): User =>
  cards.get(userId) ?? deletedUser(userId);

export function createUserCards(deps: { cache: Cache; databases: Databases }): UserCards {
  const load = async (missing: string[]): Promise<Map<string, User>> => {
    const ids = missing.map(parseId).filter((id) => id !== undefined);
    if (ids.length === 0) return new Map();
    const rows = await deps.databases.users.query<UserRow>(
      `SELECT ${userColumns} FROM users WHERE id IN (?)`,
      [ids],
    );
    return new Map(rows.map((row) => [String(row.id), toUserCard(row)]));
  };
  return {
    byIds: (userIds, from: Pick<Cache, 'read'> = deps.cache) =>
      from.read(userInfo, [...new Set(userIds)], load),
  };
}
