// Room: login sessions: open, refresh, list and revoke them. Password checks do not belong here.

import { createHash } from 'node:crypto';
import { countedAddress } from '../../../lib/client-address.ts';
import { accountStatus } from '../../../lib/domain/enumerations.ts';
import { parseId } from '../../../lib/domain/ids.ts';
import { type Position, pageOf, readPaging } from '../../../lib/domain/paging.ts';
import { userNotFound } from '../../../lib/domain/refusals.ts';
import { GoChatError } from '../../../lib/errors.ts';
import type { LoginSession, UserServiceService } from '../../../lib/gen/im_repo/v1/user.ts';
import type { UnaryHandlers } from '../../../lib/grpc/definition.ts';
import { isErased, type UserCards } from '../rows/user-cards.ts';
import { formatSql, isDuplicateKey } from '../storage/database.ts';
import type { Databases } from '../storage/databases.ts';
import type { Prisma } from '../storage/prisma.ts';
import { accessExpiry } from './access-expiry.ts';
import { endSurplusSessions, revokeLocked } from './session-revocations.ts';
import { presented, type Rotation, rotation } from './session-rotation.ts';

type Handlers = Pick<
  UnaryHandlers<typeof UserServiceService>,
  'createSession' | 'rotateSession' | 'listSessions'
>;

type SessionRow = {
  user_id: number;
  generation: number;
  rotated_at: string | null;
  refresh_token_hash: Buffer | null;
  expires_at: number;
  revoked_at: number | null;
};

/** A fingerprint of a password hash for use outside im-repo. It detects a change and reveals nothing of the hash. */
export const credentialOf = (passwordHash: string | null): Buffer =>
  createHash('sha256')
    .update(passwordHash ?? '')
    .digest();

/** Serves login sessions. Refresh tokens are derived from a session's id and generation, so no token is stored. */
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
              // The shared lock orders this with bulk revocations, which change the account before they read its
              // sessions.
              formatSql(
                `INSERT INTO sessions (id, user_id, user_agent, address, created_at, last_used_at, expires_at, access_expires_at)
                 SELECT ?, id, ?, ?, ?, ?, ?, ? FROM users
                 WHERE id = ? AND status = ${accountStatus.active} AND SHA2(COALESCE(password_hash, ''), 256) = ? LOCK IN SHARE MODE`,
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
              endSurplusSessions(id),
            ].join(';\n'),
          ),
        );
        if ((inserted as { affectedRows: number }).affectedRows === 0) throw await notOpened(databases, id);
      } catch (error) {
        // The same call may have been repeated because its first response was lost.
        if (!isDuplicateKey(error) || !(await isSame(databases, sessionId, id, expiresAt))) throw error;
      }
      return { session };
    },

    async rotateSession(request) {
      const { sessionId, expiresAt, accessExpiresAt } = request;
      const { outcome, userId } = await databases.users.transaction(async (tx) => {
        const [row] = await tx.query<SessionRow>(
          `SELECT user_id, generation, rotated_at, refresh_token_hash, expires_at, revoked_at
           FROM sessions WHERE id = ? FOR UPDATE`,
          [sessionId],
        );
        const at = Date.now();
        if (!row || row.revoked_at !== null || row.expires_at <= at) return refused;
        const result: Rotation = rotation(row, presented(request, row.refresh_token_hash), at);
        switch (result.kind) {
          case 'next':
            await tx.execute(
              `UPDATE sessions SET generation = ?, rotated_at = ?, expires_at = ?, ${setUsed} WHERE id = ?`,
              [result.generation, result.rotatedAt, expiresAt, accessExpiresAt, at, sessionId],
            );
            break;
          case 'again':
            await tx.execute(`UPDATE sessions SET ${setUsed} WHERE id = ?`, [accessExpiresAt, at, sessionId]);
            break;
          default:
            await tx.batchAndCommit(revokeLocked(sessionId));
        }
        return { outcome: result, userId: String(row.user_id) };
      });
      if (outcome.kind === 'reused') return { rotated: false, reused: true, generation: 0 };
      const user = outcome.kind === 'refused' ? undefined : (await userCards.byIds([userId])).get(userId);
      if (outcome.kind === 'refused' || !user || isErased(user))
        return { rotated: false, reused: false, generation: 0 };
      return { rotated: true, reused: false, user, generation: outcome.generation };
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
            // Index: ranges of sessions_user, in its order.
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
  };
}

/** Pages are ordered by creation time, because a session must not move between pages when it is used. */
const openedBefore = ([createdAt, id]: Position<'sessions'>) => ({
  OR: [{ createdAt: { lt: createdAt } }, { createdAt, id: { lt: id } }],
});

/**
 * Records the use of a session. GREATEST, because an earlier access token may outlive the new one after the configured
 * lifetime was shortened. SQL assigns from left to right, so `accessExpiry` still sees the old last_used_at.
 */
const setUsed = `access_expires_at = GREATEST(${accessExpiry}, ?), last_used_at = ?`;

const refused = { outcome: { kind: 'refused' }, userId: '' } as const;

/** Returns the statement that stores the address of a new session. Accounts without a password need no such address. */
const rememberAddress = (sessionId: string, address: string, at: number): string =>
  formatSql(
    `INSERT INTO sign_in_addresses (user_id, address, last_sign_in_at)
     SELECT s.user_id, ?, ? FROM sessions s JOIN users u ON u.id = s.user_id
     WHERE s.id = ? AND u.password_hash IS NOT NULL
     ON DUPLICATE KEY UPDATE last_sign_in_at = ?`,
    [countedAddress(address), at, sessionId, at],
  );

async function notOpened(databases: Databases, userId: number): Promise<GoChatError> {
  const active = await databases.users.query(
    `SELECT 1 FROM users WHERE id = ? AND status = ${accountStatus.active}`,
    [userId],
  );
  return active.length === 0
    ? userNotFound()
    : new GoChatError('UNAUTHENTICATED', 'The password has changed meanwhile. Sign in again.');
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
