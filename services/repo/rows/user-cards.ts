import { deletedUser } from '../../../lib/domain/deleted-user.ts';
import { accountStatus } from '../../../lib/domain/enumerations.ts';
import { parseId } from '../../../lib/domain/ids.ts';
import { codeOf } from '../../../lib/errors.ts';
import type { User } from '../../../lib/gen/im_repo/v1/user.ts';
import { type Cache, cacheKey, cacheKind } from '../cache/cache.ts';
import type { FileLinks } from '../file-links/file-links.ts';
import type { Databases } from '../storage/databases.ts';
import { isTrue } from '../storage/sql.ts';

export const userInfo = cacheKind<User>('user:info', 30 * 60_000);

/** The cache key that a change of a user's name, avatar or account status must touch. */
export const userInfoKey = (userId: string): string => cacheKey(userInfo, userId);

export type UserCards = {
  /**
   * Reads the cards of the given accounts, through the cache or a reading of it. An erased account has a placeholder
   * card (see `isErased`) with its creation time. An id that never named an account is left out.
   */
  byIds(userIds: Iterable<string>, from?: Pick<Cache, 'read'>): Promise<Map<string, User>>;
  /** The same, but with `unavailable` instead of an error if the database does not answer: then some cards are missing. */
  known(
    userIds: Iterable<string>,
    from: Pick<Cache, 'read'>,
  ): Promise<{ cards: Map<string, User>; unavailable: boolean }>;
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

/** The card of an account as the cache keeps it: its picture may be the address of a file without a signature. For an erased account it is the placeholder with the account's creation time. */
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

/** True if the card is the placeholder of an erased account. Its username can't be registered. */
export const isErased = ({ username, displayName }: User): boolean =>
  username === erasedCard.username && displayName === erasedCard.displayName;

const erasedCard = deletedUser('');

/** The card of a user id, or a placeholder if there is none. */
export const cardOf = (cards: ReadonlyMap<string, User>, userId: string): User =>
  cards.get(userId) ?? deletedUser(userId);

export function createUserCards(deps: { cache: Cache; databases: Databases; links: FileLinks }): UserCards {
  const load = async (missing: string[]): Promise<Map<string, User>> => {
    const ids = missing.map(parseId).filter((id) => id !== undefined);
    if (ids.length === 0) return new Map();
    const rows = await deps.databases.users.query<UserRow>(
      `SELECT ${userColumns} FROM users WHERE id IN (?)`,
      [ids],
    );
    return new Map(rows.map((row) => [String(row.id), toUserCard(row)]));
  };
  /** The cards as callers get them: the cache keeps them without signatures. */
  function signed(cards: Map<string, User>): Map<string, User> {
    for (const [id, card] of cards) {
      const one = deps.links.user(card);
      if (one !== card) cards.set(id, one);
    }
    return cards;
  }
  return {
    async byIds(userIds, from: Pick<Cache, 'read'> = deps.cache) {
      return signed(await from.read(userInfo, [...new Set(userIds)], load));
    },
    async known(userIds, from) {
      let unavailable = false;
      const cards = await from.read(userInfo, [...new Set(userIds)], (missing) =>
        load(missing).catch((error: unknown) => {
          if (codeOf(error) !== 'UNAVAILABLE') throw error;
          unavailable = true;
          return new Map<string, User>();
        }),
      );
      return { cards: signed(cards), unavailable };
    },
  };
}
