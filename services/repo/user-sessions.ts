import { GoChatError } from '../../lib/errors.ts';
import type { LoginSession, UserServiceService } from '../../lib/gen/im_repo/v1/user.ts';
import type { UnaryHandlers } from '../../lib/grpc/definition.ts';
import { type Databases, isDuplicateKey } from './database.ts';
import { parseId } from './ids.ts';
import type { Prisma } from './prisma.ts';
import type { UserCards } from './user-cards.ts';
import { userNotFound } from './user-profiles.ts';

/** Clocks of im-repo processes and commits in flight may lie this far apart. */
const revocationOverlapMs = 5000;
const mostSessions = 1000;

type Handlers = Pick<
  UnaryHandlers<typeof UserServiceService>,
  'createSession' | 'rotateSession' | 'revokeSession' | 'listSessions' | 'listRevokedSessions'
>;

type SessionRow = {
  user_id: number;
  refresh_token_hash: Buffer;
  expires_at: number;
  revoked_at: number | null;
};

/** Login sessions: only the SHA-256 of each one's current refresh token is kept. */
export function createUserSessions(deps: {
  databases: Databases;
  prisma: Prisma;
  userCards: UserCards;
}): Handlers {
  const { databases, prisma, userCards } = deps;

  return {
    async createSession({ userId, sessionId, refreshTokenHash, expiresAt, userAgent, address }) {
      checkHash(refreshTokenHash);
      const now = Date.now();
      const session: LoginSession = {
        id: sessionId,
        userId,
        createdAt: now,
        lastUsedAt: now,
        expiresAt,
        userAgent,
        address,
      };
      try {
        const { affectedRows } = await databases.users.execute(
          `INSERT INTO sessions (id, user_id, refresh_token_hash, user_agent, address, created_at, last_used_at, expires_at)
           SELECT ?, id, ?, ?, ?, ?, ?, ? FROM users WHERE id = ? AND status = 1`,
          [sessionId, refreshTokenHash, userAgent, address, now, now, expiresAt, parseId(userId) ?? 0],
        );
        if (affectedRows === 0) throw userNotFound();
      } catch (error) {
        // The same call again, whose first answer was lost.
        if (!isDuplicateKey(error) || !(await isSame(databases, sessionId, refreshTokenHash))) throw error;
      }
      return { session };
    },

    async rotateSession({ sessionId, presentedTokenHash, nextTokenHash, expiresAt }) {
      checkHash(presentedTokenHash);
      checkHash(nextTokenHash);
      const now = Date.now();
      const { affectedRows } = await databases.users.execute(
        `UPDATE sessions SET refresh_token_hash = ?, last_used_at = ?, expires_at = ?
         WHERE id = ? AND refresh_token_hash = ? AND revoked_at IS NULL AND expires_at > ?`,
        [nextTokenHash, now, expiresAt, sessionId, presentedTokenHash, now],
      );
      const session = await readSession(databases, sessionId);
      if (!session || session.revoked_at !== null || session.expires_at <= now) return refused;
      // Rotated just now, or by this same call before, whose answer was lost.
      if (affectedRows === 1 || session.refresh_token_hash.equals(nextTokenHash)) {
        const userId = String(session.user_id);
        const user = (await userCards.byIds([userId])).get(userId);
        return user ? { rotated: true, reused: false, user } : refused;
      }
      // An older token: it, or its successor, is in the wrong hands.
      await databases.users.execute(
        'UPDATE sessions SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL',
        [now, sessionId],
      );
      return { rotated: false, reused: true };
    },

    async revokeSession({ userId, sessionId }) {
      const { affectedRows } = await databases.users.execute(
        'UPDATE sessions SET revoked_at = ? WHERE id = ? AND user_id = ? AND revoked_at IS NULL',
        [Date.now(), sessionId, parseId(userId) ?? 0],
      );
      return { revoked: affectedRows === 1 };
    },

    async listSessions({ userId }) {
      const id = parseId(userId);
      if (!id) return { sessions: [] };
      const rows = await prisma.read((client) =>
        client.session.findMany({
          where: { userId: id, revokedAt: null, expiresAt: { gt: Date.now() } },
          orderBy: [{ lastUsedAt: 'desc' }, { id: 'asc' }],
          omit: { refreshTokenHash: true },
          take: mostSessions,
        }),
      );
      return {
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

    async listRevokedSessions({ since }) {
      const nextSince = Date.now() - revocationOverlapMs;
      const rows = await databases.users.query<{ id: string }>(
        // sessions_revoked
        'SELECT id FROM sessions WHERE revoked_at >= ?',
        [since],
      );
      return { sessionIds: rows.map(({ id }) => id), nextSince };
    },
  };
}

const refused = { rotated: false, reused: false };

function checkHash(hash: Buffer): void {
  if (hash.length !== 32) throw new GoChatError('INVALID_ARGUMENT', 'A token hash has 32 bytes.');
}

async function readSession(databases: Databases, sessionId: string): Promise<SessionRow | undefined> {
  const [row] = await databases.users.query<SessionRow>(
    'SELECT user_id, refresh_token_hash, expires_at, revoked_at FROM sessions WHERE id = ?',
    [sessionId],
  );
  return row;
}

async function isSame(databases: Databases, sessionId: string, hash: Buffer): Promise<boolean> {
  const session = await readSession(databases, sessionId);
  return session?.refresh_token_hash.equals(hash) === true;
}
