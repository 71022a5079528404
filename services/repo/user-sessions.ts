import { createHash } from 'node:crypto';
import { countedAddress } from '../../lib/client-address.ts';
import { type Position, pageOf, readPaging } from '../../lib/domain/paging.ts';
import { GoChatError } from '../../lib/errors.ts';
import type { LoginSession, UserServiceService } from '../../lib/gen/im_repo/v1/user.ts';
import type { UnaryHandlers } from '../../lib/grpc/definition.ts';
import { type Databases, formatSql, isDuplicateKey, type Sql } from './database.ts';
import { parseId } from './ids.ts';
import type { Prisma } from './prisma.ts';
import { accessExpiry } from './session-lifetimes.ts';
import { presented, type Rotation, rotation } from './session-rotation.ts';
import { isErased, type UserCards } from './user-cards.ts';
import { userNotFound } from './user-profiles.ts';

/** Clocks of im-repo processes and commits in flight may lie this far apart. */
const revocationOverlapMs = 5000;
/** Revoked sessions a page: far below what one gRPC answer holds. */
const revokedPage = 10_000;
/** What a session id can be: the column takes no other characters, and a longer one is nobody's. */
const sessionIdPattern = /^[\x21-\x7e]{1,36}$/;

type Handlers = Pick<
  UnaryHandlers<typeof UserServiceService>,
  'createSession' | 'rotateSession' | 'revokeSession' | 'listSessions' | 'listRevokedSessions'
>;

type SessionRow = {
  user_id: number;
  generation: number;
  rotated_at: string | null;
  refresh_token_hash: Buffer | null;
  expires_at: number;
  revoked_at: number | null;
};

/** Stands for a password hash outside of im-repo: tells two apart and says nothing about either. */
export const credentialOf = (passwordHash: string | null): Buffer =>
  createHash('sha256')
    .update(passwordHash ?? '')
    .digest();

/** Login sessions. Refresh tokens are derived from a session's id and generation, so that none is stored. */
export function createUserSessions(deps: {
  databases: Databases;
  prisma: Prisma;
  userCards: UserCards;
}): Handlers {
  const { databases, prisma, userCards } = deps;

  return {
    async createSession({ userId, sessionId, credential, expiresAt, accessExpiresAt, userAgent, address }) {
      const id = parseId(userId) ?? 0;
      const createdAt = Date.now();
      const session: LoginSession = {
        id: sessionId,
        userId,
        createdAt,
        lastUsedAt: createdAt,
        expiresAt,
        userAgent,
        address,
      };
      try {
        const [inserted] = await databases.users.transaction((tx) =>
          tx.batchAndCommit(
            [
              // The lock orders it with whatever ends sessions: that changes the account first, then looks for them.
              formatSql(
                `INSERT INTO sessions (id, user_id, user_agent, address, created_at, last_used_at, expires_at, access_expires_at)
                 SELECT ?, id, ?, ?, ?, ?, ?, ? FROM users
                 WHERE id = ? AND status = 1 AND SHA2(COALESCE(password_hash, ''), 256) = ? LOCK IN SHARE MODE`,
                [
                  sessionId,
                  userAgent,
                  address,
                  createdAt,
                  createdAt,
                  expiresAt,
                  accessExpiresAt,
                  id,
                  credential.toString('hex'),
                ],
              ),
              rememberAddress(sessionId, address, createdAt),
            ].join(';\n'),
          ),
        );
        if ((inserted as { affectedRows: number }).affectedRows === 0) throw await notOpened(databases, id);
      } catch (error) {
        // The same call again, whose first answer was lost.
        if (!isDuplicateKey(error) || !(await isSame(databases, sessionId, id, expiresAt))) throw error;
      }
      return { session };
    },

    async rotateSession(request) {
      const { sessionId, expiresAt, accessExpiresAt } = request;
      const at = Date.now();
      const { outcome, userId } = await databases.users.transaction(async (tx) => {
        const [row] = await tx.query<SessionRow>(
          `SELECT user_id, generation, rotated_at, refresh_token_hash, expires_at, revoked_at
           FROM sessions WHERE id = ? FOR UPDATE`,
          [sessionId],
        );
        if (!row || row.revoked_at !== null || row.expires_at <= at) return refused;
        const result: Rotation = rotation(row, presented(request, row.refresh_token_hash), at);
        switch (result.kind) {
          case 'next':
            await tx.execute(
              `UPDATE sessions SET generation = ?, rotated_at = ?, last_used_at = ?, expires_at = ?, access_expires_at = ?
               WHERE id = ?`,
              [result.generation, result.rotatedAt, at, expiresAt, accessExpiresAt, sessionId],
            );
            break;
          case 'again':
            await tx.execute('UPDATE sessions SET last_used_at = ?, access_expires_at = ? WHERE id = ?', [
              at,
              accessExpiresAt,
              sessionId,
            ]);
            break;
          default:
            await tx.execute('UPDATE sessions SET revoked_at = ? WHERE id = ?', [at, sessionId]);
        }
        return { outcome: result, userId: String(row.user_id) };
      });
      if (outcome.kind === 'reused') return { rotated: false, reused: true, generation: 0 };
      const user = outcome.kind === 'refused' ? undefined : (await userCards.byIds([userId])).get(userId);
      if (outcome.kind === 'refused' || !user || isErased(user))
        return { rotated: false, reused: false, generation: 0 };
      return { rotated: true, reused: false, user, generation: outcome.generation };
    },

    async revokeSession({ userId, sessionId }) {
      if (!sessionIdPattern.test(sessionId)) return { revoked: false };
      const { affectedRows } = await databases.users.execute(
        'UPDATE sessions SET revoked_at = ? WHERE id = ? AND user_id = ? AND revoked_at IS NULL',
        [Date.now(), sessionId, parseId(userId) ?? 0],
      );
      return { revoked: affectedRows === 1 };
    },

    async listSessions(request) {
      const { limit, offset, after } = readPaging('sessions', request);
      const userId = parseId(request.userId);
      if (!userId) return { sessions: [] };
      const found = await prisma.read((client) =>
        client.session.findMany({
          where: {
            userId,
            revokedAt: null,
            expiresAt: { gt: Date.now() },
            ...(request.sessionId === undefined ? {} : { id: request.sessionId }),
            // Ranges of sessions_user, in its order.
            ...(after ? openedBefore(after) : {}),
          },
          orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
          omit: { refreshTokenHash: true },
          take: limit + 1,
          skip: offset,
        }),
      );
      const { rows, nextCursor } = pageOf('sessions', found, limit, (row) => [Number(row.createdAt), row.id]);
      return {
        nextCursor,
        sessions: rows.map((row) => ({
          id: row.id,
          userId: String(row.userId),
          createdAt: Number(row.createdAt),
          lastUsedAt: Number(row.lastUsedAt),
          expiresAt: Number(row.expiresAt),
          userAgent: row.userAgent,
          address: row.address,
        })),
      };
    },

    async listRevokedSessions({ since, afterSessionId }) {
      const at = Date.now();
      const rows = await databases.users.query<{ id: string; revoked_at: number; until: number }>(
        // sessions_revoked, which ends with the primary key
        `SELECT id, revoked_at, ${accessExpiry} AS until FROM sessions
         WHERE revoked_at >= ? AND (revoked_at > ? OR id > ?)
         ORDER BY revoked_at, id LIMIT ?`,
        [since, since, afterSessionId, revokedPage],
      );
      const last = rows.at(-1);
      const sessions = rows
        .filter(({ until }) => until > at)
        .map(({ id, until }) => ({ id, accessExpiresAt: until }));
      return last && rows.length === revokedPage
        ? { sessions, more: true, nextSince: last.revoked_at, nextAfterSessionId: last.id }
        : { sessions, more: false, nextSince: at - revocationOverlapMs, nextAfterSessionId: '' };
    },
  };
}

/** Revokes an account's sessions in the transaction that changed the account before. Answers which. */
export async function revokeSessionsOf(tx: Sql, userId: number, exceptSessionId = ''): Promise<string[]> {
  const rows = await tx.query<{ id: string }>(
    // sessions_user
    'SELECT id FROM sessions WHERE user_id = ? AND revoked_at IS NULL AND id <> ? FOR UPDATE',
    [userId, exceptSessionId],
  );
  const ids = rows.map(({ id }) => id);
  if (ids.length > 0) {
    await tx.execute('UPDATE sessions SET revoked_at = ? WHERE id IN (?)', [Date.now(), ids]);
  }
  return ids;
}

/** By their beginning, since a session that is used must not move between two pages. */
const openedBefore = ([createdAt, id]: Position<'sessions'>) => ({
  OR: [{ createdAt: { lt: createdAt } }, { createdAt, id: { lt: id } }],
});

const refused = { outcome: { kind: 'refused' }, userId: '' } as const;

/** From where the account of a session that was just opened signs in, where it has a password that could be guessed. */
const rememberAddress = (sessionId: string, address: string, at: number): string =>
  formatSql(
    `INSERT INTO sign_in_addresses (user_id, address, last_sign_in_at)
     SELECT s.user_id, ?, ? FROM sessions s JOIN users u ON u.id = s.user_id
     WHERE s.id = ? AND u.password_hash IS NOT NULL
     ON DUPLICATE KEY UPDATE last_sign_in_at = ?`,
    [countedAddress(address), at, sessionId, at],
  );

async function notOpened(databases: Databases, userId: number): Promise<GoChatError> {
  const active = await databases.users.query('SELECT 1 FROM users WHERE id = ? AND status = 1', [userId]);
  return active.length === 0
    ? userNotFound()
    : new GoChatError('UNAUTHENTICATED', 'The password was changed meanwhile. Sign in again.');
}

async function isSame(
  databases: Databases,
  sessionId: string,
  userId: number,
  expiresAt: number,
): Promise<boolean> {
  const rows = await databases.users.query(
    'SELECT 1 FROM sessions WHERE id = ? AND user_id = ? AND expires_at = ? AND generation = 0',
    [sessionId, userId, expiresAt],
  );
  return rows.length > 0;
}
