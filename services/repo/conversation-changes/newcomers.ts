import { accountStatus } from '../../../lib/domain/enumerations.ts';
import { limits } from '../../../lib/domain/limits.ts';
import { invalid } from '../../../lib/domain/refusals.ts';
import { GoChatError } from '../../../lib/errors.ts';
import { userIdOf } from '../rows/conversation-access.ts';
import { formatSql } from '../storage/database.ts';
import type { Databases } from '../storage/databases.ts';

/**
 * Parses the user ids of a request and drops duplicates. Throws INVALID_ARGUMENT for no ids or more than
 * `limits.usersPerCall`, and USER_NOT_FOUND for an id that can't belong to a user.
 */
export function userIdsOf(path: string, ids: readonly string[]): number[] {
  if (ids.length === 0) throw invalid(path, 'must not be empty');
  if (ids.length > limits.usersPerCall) throw invalid(path, `must name at most ${limits.usersPerCall} users`);
  return [...new Set(ids.map(userIdOf))];
}

/** The actor's user id; 0 for the system itself, which has all rights. */
export const actorIdOf = (id: string): number => (id === '' ? 0 : userIdOf(id));

/** The users whom an inviter can't add to a group. */
export type Unwilling = {
  /** They blocked the inviter. The whole request is refused. */
  blockers: ReadonlySet<number>;
  /** They accept invitations from friends only, and the inviter is not a friend. Only these users are left out. */
  friendsOnly: ReadonlySet<number>;
};

/** Throws USER_NOT_FOUND unless all accounts exist. Nobody refuses inviter 0, the system itself. */
export async function readUnwilling(
  databases: Databases,
  inviterId: number,
  userIds: readonly number[],
): Promise<Unwilling> {
  if (userIds.length === 0) return { blockers: new Set(), friendsOnly: new Set() };
  const [existing, blockers, friendsOnly] = (await databases.users.batch(
    [
      formatSql(`SELECT id FROM users WHERE id IN (?) AND status = ${accountStatus.active}`, [userIds]),
      // Index: the primary key of user_blocks.
      formatSql('SELECT user_id FROM user_blocks WHERE user_id IN (?) AND blocked_id = ?', [
        userIds,
        inviterId,
      ]),
      // Index: the primary keys of user_settings and friendships.
      formatSql(
        `SELECT s.user_id FROM user_settings s
         LEFT JOIN friendships f ON f.user_id = ? AND f.friend_id = s.user_id
         WHERE s.user_id IN (?) AND s.group_invites = 'friends' AND s.user_id <> ? AND f.user_id IS NULL`,
        [inviterId, userIds, inviterId],
      ),
    ].join(';\n'),
  )) as [{ id: number }[], { user_id: number }[], { user_id: number }[]];
  const known = new Set(existing.map(({ id }) => id));
  const missing = userIds.filter((id) => !known.has(id));
  if (missing.length > 0) {
    throw new GoChatError('USER_NOT_FOUND', `There is no user ${missing.slice(0, 5).join(', ')}.`);
  }
  const idsOf = (rows: { user_id: number }[]) => new Set(rows.map(({ user_id }) => user_id));
  return { blockers: idsOf(blockers), friendsOnly: inviterId === 0 ? new Set() : idsOf(friendsOnly) };
}

/** Throws BLOCKED if one of the newcomers blocked the inviter. */
export function refuseBlockers(newcomers: readonly number[], blockers: ReadonlySet<number>): void {
  const [blocker] = newcomers.filter((id) => blockers.has(id));
  if (blocker !== undefined) throw new GoChatError('BLOCKED', `User ${blocker} blocked the inviter.`);
}
