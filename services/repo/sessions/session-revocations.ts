import { parseId } from '../../../lib/domain/ids.ts';
import type { UserServiceService } from '../../../lib/gen/im_repo/v1/user.ts';
import type { UnaryHandlers } from '../../../lib/grpc/definition.ts';
import { databaseTime, overlapMs } from '../storage/change-time.ts';
import { type Databases, formatSql, type Transaction } from '../storage/database.ts';
import { accessExpiry } from './access-expiry.ts';

/** Sessions of an account: each more ends the one that was unused for longest. */
const maxSessions = 100;
/** So many end at once where there are more, from a time without the bound: the next sign-ins end the others. */
const maxEndedPerSignIn = 20;
/** Revoked sessions a page: far below what one gRPC answer holds. */
const revokedPage = 10_000;
/** Those that an answer names, for gateways to close at once: they learn of further ones within a second. */
const maxNamed = 1000;
/** What a session id can be: the column takes no other characters, and a longer one is nobody's. */
const sessionIdPattern = /^[\x21-\x7e]{1,36}$/;

type Handlers = Pick<UnaryHandlers<typeof UserServiceService>, 'revokeSession' | 'listRevokedSessions'>;

/**
 * The end of login sessions, and how gateways learn of it. When a session ended is the database's clock, written by a
 * statement that waits for no lock or for one, and goes out with its COMMIT (change-time.ts): so whoever asks since a
 * moment misses none that was under way then.
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
          // sessions_revoked, which ends with the primary key
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
 * Revokes an account's sessions and commits the transaction, which changed the account before: so none is opened
 * meanwhile. Answers which; of very many only some.
 */
export async function revokeSessionsAndCommit(
  tx: Transaction,
  userId: number,
  exceptSessionId = '',
): Promise<string[]> {
  // Any wait for a lock is here, before the time is taken. sessions_user_used
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

/** Forgets where an erased account was signed in, ends all of its sessions, and commits. */
export async function eraseSessionsAndCommit(tx: Transaction, userId: number): Promise<void> {
  // sessions_user
  await tx.query('SELECT id FROM sessions WHERE user_id = ? FOR UPDATE', [userId]);
  await tx.batchAndCommit(
    formatSql(
      `UPDATE sessions SET user_agent = '', address = '', revoked_at = COALESCE(revoked_at, ${databaseTime})
       WHERE user_id = ?`,
      [userId],
    ),
  );
}

/** Revokes one whose row is locked. */
export const revokeLocked = (sessionId: string): string =>
  formatSql(`UPDATE sessions SET revoked_at = ${databaseTime} WHERE id = ?`, [sessionId]);

/** Ends what an account has beyond the bound, by sessions_user_used. */
export const endSurplusSessions = (userId: number): string =>
  formatSql(
    `UPDATE (
       SELECT id FROM sessions WHERE user_id = ? AND revoked_at IS NULL
       ORDER BY last_used_at DESC LIMIT ?, ?
     ) AS surplus JOIN sessions s ON s.id = surplus.id
     SET s.revoked_at = ${databaseTime} WHERE s.user_id = ? AND s.revoked_at IS NULL`,
    [userId, maxSessions, maxEndedPerSignIn, userId],
  );
