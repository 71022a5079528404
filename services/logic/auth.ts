import { randomUUID } from 'node:crypto';
import { GoChatError, isRetryable } from '../../lib/errors.ts';
import type { AuthServiceService, ClientInfo, Session } from '../../lib/gen/im_logic/v1/auth.ts';
import type { User } from '../../lib/gen/im_repo/v1/user.ts';
import type { RepoClient } from '../../lib/grpc/clients.ts';
import type { UnaryHandlers } from '../../lib/grpc/definition.ts';
import { required } from '../../lib/grpc/server.ts';
import type { AccessTokenVerifier } from '../../lib/tokens.ts';
import { checkPassword, checkText, checkUsername, limits } from './input.ts';
import { invalidRefreshToken, type Tokens } from './tokens.ts';

/** Checking a password is slow on purpose, and slower still when many sign in at once. */
const passwordDeadline = { deadlineMs: 15_000 };

const longestUserAgent = 255;
const longestAddress = 45;

/** Accounts, tokens and login sessions. */
export function createAuth(deps: {
  users: RepoClient['users'];
  tokens: Tokens;
  verifier: AccessTokenVerifier;
}): UnaryHandlers<typeof AuthServiceService> {
  const { users, tokens, verifier } = deps;

  async function openSession(user: User, client: ClientInfo | undefined): Promise<Session> {
    const sessionId = randomUUID();
    const refresh = await tokens.refresh(user.id, sessionId);
    await users.createSession({
      userId: user.id,
      sessionId,
      refreshTokenHash: refresh.hash,
      expiresAt: refresh.expiresAt,
      userAgent: cut(client?.userAgent, longestUserAgent),
      address: cut(client?.address, longestAddress),
    });
    return signed(user, sessionId, refresh.token);
  }

  const signed = async (user: User, sessionId: string, refreshToken: string): Promise<Session> => ({
    user,
    accessToken: await tokens.access(user, sessionId),
    refreshToken,
    expiresIn: tokens.accessTtlS,
    sessionId,
  });

  return {
    async register({ username, password, avatarUrl, client }) {
      checkUsername(username);
      checkPassword(password);
      checkText('avatarUrl', avatarUrl, limits.avatarUrl);
      const { user } = await users.createUser(
        { username, password, avatarUrl, isGuest: false },
        passwordDeadline,
      );
      return { session: await openSession(required(user, 'user'), client) };
    },

    async login({ username, password, client }) {
      const { valid, user } = await users.verifyPassword(
        { username: cut(username, 64), password: hashable(password) },
        passwordDeadline,
      );
      if (!valid || !user) {
        throw new GoChatError('UNAUTHENTICATED', 'The username or the password is wrong.');
      }
      return { session: await openSession(user, client) };
    },

    async guestLogin({ client }) {
      const { user } = await users.createUser({ username: '', password: '', avatarUrl: '', isGuest: true });
      return { session: await openSession(required(user, 'user'), client) };
    },

    async upgradeGuest({ userId, sessionId, username, password }) {
      checkUsername(username);
      checkPassword(password);
      const before = await users.getUser({ userId });
      if (!before.user?.isGuest) {
        throw new GoChatError('PERMISSION_DENIED', 'Only a guest can be turned into a registered user.');
      }
      const { sessions } = await users.listSessions({ userId });
      const current = sessions.find(({ id }) => id === sessionId);
      const { user } = await users.upgradeGuest({ userId, username, password }, passwordDeadline);
      // The guest's own session goes on, so that its sockets stay open; what the client keeps is the new one.
      return { session: await openSession(required(user, 'user'), current) };
    },

    async validateToken({ accessToken }) {
      try {
        const token = await verifier.verify(accessToken);
        const { sessions } = await users.listSessions({ userId: token.userId });
        if (!sessions.some(({ id }) => id === token.sessionId)) return notValid;
        return { valid: true, ...token };
      } catch (error) {
        if (error instanceof GoChatError && !isRetryable(error.code)) return notValid;
        throw error;
      }
    },

    async refreshToken({ refreshToken }) {
      const presented = await tokens.readRefresh(refreshToken);
      const next = await tokens.refresh(presented.userId, presented.sessionId);
      const { rotated, reused, user } = await users.rotateSession({
        sessionId: presented.sessionId,
        presentedTokenHash: presented.hash,
        nextTokenHash: next.hash,
        expiresAt: next.expiresAt,
      });
      if (reused) {
        throw new GoChatError(
          'UNAUTHENTICATED',
          'This refresh token was used before: its login session is revoked. Sign in again.',
        );
      }
      if (!rotated || !user) throw invalidRefreshToken();
      return { session: await signed(user, presented.sessionId, next.token) };
    },

    async logout({ userId, sessionId }) {
      await users.revokeSession({ userId, sessionId });
      return {};
    },

    async changePassword({ userId, sessionId, oldPassword, newPassword }) {
      checkPassword(newPassword, 'newPassword');
      try {
        return await users.changePassword(
          { userId, oldPassword: hashable(oldPassword), newPassword, keepSessionId: sessionId },
          passwordDeadline,
        );
      } catch (error) {
        // Not UNAUTHENTICATED: the caller is signed in, and a client would sign itself out.
        if (error instanceof GoChatError && error.code === 'UNAUTHENTICATED') {
          throw new GoChatError('PERMISSION_DENIED', 'The old password is wrong.');
        }
        throw error;
      }
    },

    listSessions: ({ userId }) => users.listSessions({ userId }),

    async revokeSession({ userId, sessionId }) {
      await users.revokeSession({ userId, sessionId });
      return {};
    },

    listRevokedSessions: ({ since }) => users.listRevokedSessions({ since }),
  };
}

const notValid = { valid: false, userId: '', sessionId: '', expiresAt: 0, isGuest: false };

const cut = (text: string | undefined, longest: number): string => (text ?? '').slice(0, longest);

/** A password no longer than makes it certainly wrong, so that nobody has megabytes hashed. */
const hashable = (password: string): string => password.slice(0, 2 * (limits.password[1] + 1));
