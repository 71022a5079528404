import { parseId } from '../../../lib/domain/ids.ts';
import type { UserServiceService } from '../../../lib/gen/im_repo/v1/user.ts';
import type { UnaryHandlers } from '../../../lib/grpc/definition.ts';
import { databaseTime, overlapMs } from '../storage/change-time.ts';
import { formatSql, type Transaction } from '../storage/database.ts';
import type { Databases } from '../storage/databases.ts';
import { accessExpiry } from './access-expiry.ts';

/** The maximum number of sessions per account. A further sign-in ends the least recently used session. */
const maxSessions = 100;
/** An account may exceed the bound, from a time without it. One sign-in ends only so many; later ones end the rest. */
const maxEndedPerSignIn = 20;
/** Revoked sessions per page, far below the size limit of a gRPC response. */
const revokedPage = 10_000;
/** The most session ids in a response. Gateways close these at once and learn of any others within a second. */
const maxNamed = 1000;
/** The form of a session id: the column accepts no other characters and no session has a longer id. */
const sessionIdPattern = /^[\x21-\x7e]{1,36}$/;

type Handlers = Pick<UnaryHandlers<typeof UserServiceService>, 'revokeSession' | 'listRevokedSessions'>;

/**
 * Revokes login sessions and lists the revoked ones for gateways. The time of revocation is the database's clock. It is
 * written by a statement that waits for at most one lock and goes out with its COMMIT (see change-time.ts), so a
 * gateway that asks for revocations since a time misses none that was in flight then.
 */
export function createSessionRevocations(deps: { databases: Databases }): Handlers {
  const { users } = deps.databases;

  return {
    async revokeSession({ userId, sessionId }) {
      if (!sessionIdPattern.test(sessionId)) return { revoked: false };
      const { affectedRows } = await users.execute(
        `UPDATE sessions SET revoked_at = ${databaseTime} WHERE id = ? AND user_id = ? AND revoked_at IS NULL`,
        [sessionId, parseId(userId) ?? 0],
      );
      return { revoked: affectedRows === 1 };
    },

    async listRevokedSessions({ since, afterSessionId }) {
      const [times, revoked] = (await users.batch(
        [
          `SELECT ${databaseTime} AS time`,
          // Index: sessions_revoked, which ends with the primary key.
          formatSql(
            `SELECT id, revoked_at, ${accessExpiry} AS until FROM sessions
             WHERE revoked_at >= ? AND (revoked_at > ? OR id > ?)
             ORDER BY revoked_at, id LIMIT ?`,
            [since, since, afterSessionId, revokedPage],
          ),
        ].join(';\n'),
      )) as [{ time: number }[], { id: string; revoked_at: number; until: number }[]];
      const at = times[0]?.time ?? 0;
      const last = revoked.at(-1);
      const sessions = revoked
        .filter(({ until }) => until > at)
        .map(({ id, until }) => ({ id, accessExpiresAt: until }));
      return last && revoked.length === revokedPage
        ? { sessions, more: true, nextSince: last.revoked_at, nextAfterSessionId: last.id }
        : { sessions, more: false, nextSince: at - overlapMs, nextAfterSessionId: '' };
    },
  };
}

/**
 * Revokes an account's sessions and commits the transaction. The transaction has already changed the account's row, so
 * no session can be opened meanwhile. Returns the ids of the revoked sessions, at most `maxNamed` of them.
 */
export async function revokeSessionsAndCommit(
  tx: Transaction,
  userId: number,
  exceptSessionId = '',
): Promise<string[]> {
  // All waits for locks happen here, before the time is taken. Index: sessions_user_used.
  const rows = await tx.query<{ id: string }>(
    'SELECT id FROM sessions WHERE user_id = ? AND revoked_at IS NULL AND id <> ? FOR UPDATE',
    [userId, exceptSessionId],
  );
  await tx.batchAndCommit(
    formatSql(
      `UPDATE sessions SET revoked_at = ${databaseTime} WHERE user_id = ? AND revoked_at IS NULL AND id <> ?`,
      [userId, exceptSessionId],
    ),
  );
  return rows.slice(0, maxNamed).map(({ id }) => id);
}

/** Erases the user agents and addresses of an erased account's sessions, revokes the sessions, and commits. */
export async function eraseSessionsAndCommit(tx: Transaction, userId: number): Promise<void> {
  // Index: sessions_user.
  await tx.query('SELECT id FROM sessions WHERE user_id = ? FOR UPDATE', [userId]);
  await tx.batchAndCommit(
    formatSql(
      `UPDATE sessions SET user_agent = '', address = '', revoked_at = COALESCE(revoked_at, ${databaseTime})
       WHERE user_id = ?`,
      [userId],
    ),
  );
}

/** Returns the statement that revokes a session. The caller holds the lock of its row. */
export const revokeLocked = (sessionId: string): string =>
  formatSql(`UPDATE sessions SET revoked_at = ${databaseTime} WHERE id = ?`, [sessionId]);

/** Returns the statement that revokes an account's sessions beyond the bound. Index: sessions_user_used. */
export const endSurplusSessions = (userId: number): string =>
  formatSql(
    `UPDATE (
       SELECT id FROM sessions WHERE user_id = ? AND revoked_at IS NULL
       ORDER BY last_used_at DESC LIMIT ?, ?
     ) AS surplus JOIN sessions s ON s.id = surplus.id
     SET s.revoked_at = ${databaseTime} WHERE s.user_id = ? AND s.revoked_at IS NULL`,
    [userId, maxSessions, maxEndedPerSignIn, userId],
  );
