import { accountStatus } from '../../../lib/domain/enumerations.ts';
import { parseId } from '../../../lib/domain/ids.ts';
import { userNotFound } from '../../../lib/domain/refusals.ts';
import { defaultUserSettings } from '../../../lib/domain/user-settings.ts';
import { GoChatError } from '../../../lib/errors.ts';
import type { UserServiceService, UserSettings } from '../../../lib/gen/im_repo/v1/user.ts';
import type { UnaryHandlers } from '../../../lib/grpc/definition.ts';
import { type Cache, cacheKey, cacheKind } from '../cache/cache.ts';
import type { Databases } from '../storage/databases.ts';
import { isTrue } from '../storage/sql.ts';

const maxIds = 5000;

export const userSettingsKind = cacheKind<UserSettings>('user:settings', 60 * 60_000);

/** The cache key that a change of a user's settings must touch. */
export const userSettingsKey = (userId: string): string => cacheKey(userSettingsKind, userId);

export type UserSettingsReader = {
  /** Reads the settings of the given users, through the cache or a reading of it. */
  byIds(userIds: Iterable<string>, from?: Pick<Cache, 'read'>): Promise<Map<string, UserSettings>>;
};

type Row = {
  user_id: number;
  group_invites: string;
  last_seen: string;
  read_receipts: number;
  locale: string;
};

const columns = 'user_id, group_invites, last_seen, read_receipts, locale';

/** Reads settings. Defaults are cached too, because few users change their settings. */
export function createUserSettingsReader(deps: { cache: Cache; databases: Databases }): UserSettingsReader {
  const load = async (missing: string[]): Promise<Map<string, UserSettings>> => {
    const settings = new Map(missing.map((userId) => [userId, defaultsOf(userId)]));
    const ids = missing.map(parseId).filter((id) => id !== undefined);
    if (ids.length === 0) return settings;
    const rows = await deps.databases.users.query<Row>(
      // Index: the primary key.
      `SELECT ${columns} FROM user_settings WHERE user_id IN (?)`,
      [ids],
    );
    for (const row of rows) settings.set(String(row.user_id), fromRow(row));
    return settings;
  };
  return {
    byIds: (userIds, from: Pick<Cache, 'read'> = deps.cache) =>
      from.read(userSettingsKind, [...new Set(userIds)], load),
  };
}

type Handlers = Pick<UnaryHandlers<typeof UserServiceService>, 'getUserSettings' | 'updateUserSettings'>;

/** Serves the settings that users choose for themselves. */
export function createUserSettings(deps: {
  databases: Databases;
  cache: Cache;
  userSettings: UserSettingsReader;
}): Handlers {
  const { databases, cache, userSettings } = deps;
  return {
    async getUserSettings({ userIds }) {
      if (userIds.length > maxIds) throw new GoChatError('INVALID_ARGUMENT', `At most ${maxIds} users.`);
      const found = await userSettings.byIds(userIds);
      return { settings: userIds.map((userId) => found.get(userId) ?? defaultsOf(userId)) };
    },

    async updateUserSettings({ userId, groupInvites, lastSeen, readReceipts, locale }) {
      const id = parseId(userId);
      if (id === undefined) throw userNotFound();
      return cache.change(async (touch) => {
        await touch([userSettingsKey(userId)]);
        return databases.users.transaction(async (tx) => {
          // The lock prevents a write after the account is closed.
          const users = await tx.query(
            `SELECT 1 FROM users WHERE id = ? AND status = ${accountStatus.active} FOR UPDATE`,
            [id],
          );
          if (users.length === 0) throw userNotFound();
          const [row] = await tx.query<Row>(`SELECT ${columns} FROM user_settings WHERE user_id = ?`, [id]);
          const old = row ? fromRow(row) : defaultsOf(userId);
          const settings: UserSettings = {
            userId,
            groupInvites: groupInvites ?? old.groupInvites,
            lastSeen: lastSeen ?? old.lastSeen,
            readReceipts: readReceipts ?? old.readReceipts,
            locale: locale ?? old.locale,
          };
          await tx.execute(`REPLACE INTO user_settings (${columns}, updated_at) VALUES (?)`, [
            [
              id,
              settings.groupInvites,
              settings.lastSeen,
              settings.readReceipts,
              settings.locale,
              Date.now(),
            ],
          ]);
          return { settings };
        });
      });
    },
  };
}

const defaultsOf = (userId: string): UserSettings => ({ userId, ...defaultUserSettings });

const fromRow = (row: Row): UserSettings => ({
  userId: String(row.user_id),
  groupInvites: row.group_invites,
  lastSeen: row.last_seen,
  readReceipts: isTrue(row.read_receipts),
  locale: row.locale,
});
