// Room: accounts: sign-in with passwords, as a guest or by an identity provider, tokens, sessions, profiles. Friends
// have a room of their own.

import { randomUUID } from 'node:crypto';
import { canonicalPictureElsewhere } from '../../../lib/domain/addresses.ts';
import { limits } from '../../../lib/domain/limits.ts';
import { canonicalName, isUsername } from '../../../lib/domain/names.ts';
import { readPaging } from '../../../lib/domain/paging.ts';
import { hashingMs } from '../../../lib/domain/passwords.ts';
import { codeOf, GoChatError, isRetryable } from '../../../lib/errors.ts';
import type { AuthServiceService, ClientInfo, Session } from '../../../lib/gen/im_logic/v1/auth.ts';
import type { User } from '../../../lib/gen/im_repo/v1/user.ts';
import type { RepoClient } from '../../../lib/grpc/clients.ts';
import type { UnaryHandlers } from '../../../lib/grpc/definition.ts';
import { required } from '../../../lib/grpc/server.ts';
import type { AccessTokenVerifier } from '../../../lib/tokens.ts';
import { checkPassword, checkPictureElsewhere, checkUsername, ifGiven } from '../input/input.ts';
import type { Issuers } from './issuers.ts';
import { invalidRefreshToken } from './refresh-tokens.ts';
import type { Tokens } from './tokens.ts';

export const passwordDeadline = { deadlineMs: hashingMs };

const maxUserAgentLength = 255;
const maxAddressLength = 45;

/** The handlers of AuthService: accounts, tokens and login sessions. */
export function createAuth(deps: {
  users: RepoClient['users'];
  tokens: Tokens;
  verifier: AccessTokenVerifier;
  issuers: Issuers;
}): UnaryHandlers<typeof AuthServiceService> {
  const { users, tokens, verifier, issuers } = deps;

  /**
   * Opens a login session. `credential` identifies the password or identity that was checked: im-repo opens no session
   * if the account's credential has changed since.
   */
  async function openSession(
    account: { user?: User | undefined; credential: Buffer },
    client: ClientInfo | undefined,
  ): Promise<Session> {
    const user = required(account.user, 'user');
    const sessionId = randomUUID();
    const { accessExpiresAt, expiresAt } = tokens.lifetimes();
    await users.createSession({
      userId: user.id,
      sessionId,
      credential: account.credential,
      expiresAt,
      accessExpiresAt,
      userAgent: cut(client?.userAgent, maxUserAgentLength),
      address: addressOf(client),
    });
    return withTokens(user, { sessionId, generation: 0, accessExpiresAt });
  }

  const withTokens = async (
    user: User,
    session: { sessionId: string; generation: number; accessExpiresAt: number },
  ): Promise<Session> => ({
    user,
    accessToken: await tokens.access(user, session.sessionId, session.accessExpiresAt),
    refreshToken: tokens.refresh(session.sessionId, session.generation),
    expiresIn: tokens.accessTtlS,
    sessionId: session.sessionId,
  });

  return {
    async register({ username, password, avatarUrl, client }) {
      checkUsername(username);
      checkPassword(password, username);
      const picture = checkPictureElsewhere('avatarUrl', avatarUrl);
      const account = await users.createUser(
        { username, password, avatarUrl: picture, isGuest: false, address: addressOf(client) },
        passwordDeadline,
      );
      return { session: await openSession(account, client) };
    },

    getSignInAccount: ({ username, userId, address }) =>
      users.getSignInAccount({
        username: cut(username, 64),
        userId,
        address: cut(address, maxAddressLength),
      }),

    async login({ username, password, client }) {
      const account = await users.verifyPassword(
        { username: cut(username, 64), password: hashable(password), address: addressOf(client) },
        passwordDeadline,
      );
      if (!account.valid) throw wrongLogin();
      try {
        return { session: await openSession(account, client) };
      } catch (error) {
        // While the password was checked, it was changed or the account was erased.
        if (['UNAUTHENTICATED', 'USER_NOT_FOUND'].includes(codeOf(error))) throw wrongLogin();
        throw error;
      }
    },

    async exchangeToken({ token, client }) {
      const { issuer, subject, ...claims } = await issuers.verify(token);
      const { username, displayName = '', avatarUrl } = claims;
      // A claim that cannot be stored is left out: it is no reason to refuse the sign-in.
      const identity = {
        issuer,
        subject,
        username: username !== undefined && isUsername(username) ? username : undefined,
        displayName: canonicalName(displayName, limits.displayName),
        avatarUrl: ifGiven(avatarUrl, canonicalPictureElsewhere),
      };
      const signIn = async () => openSession(await users.signInExternal(identity), client);
      // The account may be erased, or get a password, between its look-up and the session: the second try sees the
      // change.
      const session = await signIn().catch(ifAccountChanged(signIn)).catch(ifAccountChanged(refuseErased));
      return { session };
    },

    async guestLogin({ client }) {
      const account = await users.createUser({
        username: '',
        password: '',
        avatarUrl: '',
        isGuest: true,
        address: addressOf(client),
      });
      return { session: await openSession(account, client) };
    },

    async upgradeGuest({ userId, username, password, client }) {
      checkUsername(username);
      checkPassword(password, username);
      const before = await users.getUser({ userId });
      if (!before.user?.isGuest) {
        throw new GoChatError('PERMISSION_DENIED', 'Only a guest can be turned into a registered user.');
      }
      const account = await users.upgradeGuest(
        { userId, username, password, address: addressOf(client) },
        passwordDeadline,
      );
      const { revokedSessionIds } = account;
      return { session: await openSession(account, client), revokedSessionIds };
    },

    async validateToken({ accessToken }) {
      try {
        const token = await verifier.verify(accessToken);
        const { userId, sessionId } = token;
        const { sessions } = await users.listSessions({ userId, sessionId });
        if (sessions.length === 0) return notValid;
        return { valid: true, ...token };
      } catch (error) {
        if (error instanceof GoChatError && !isRetryable(error.code)) return notValid;
        throw error;
      }
    },

    async refreshToken({ refreshToken }) {
      const presented = await tokens.readRefresh(refreshToken);
      const { sessionId } = presented;
      const { accessExpiresAt, expiresAt } = tokens.lifetimes();
      const { rotated, reused, user, generation } = await users.rotateSession({
        sessionId,
        presentedGeneration: 'generation' in presented ? presented.generation : 0,
        presentedTokenHash: 'hash' in presented ? presented.hash : Buffer.alloc(0),
        expiresAt,
        accessExpiresAt,
      });
      if (reused) {
        throw new GoChatError(
          'UNAUTHENTICATED',
          'This refresh token was used before: its login session is revoked. Sign in again.',
        );
      }
      if (!rotated || !user) throw invalidRefreshToken();
      return { session: await withTokens(user, { sessionId, generation, accessExpiresAt }) };
    },

    async logout({ userId, sessionId }) {
      await users.revokeSession({ userId, sessionId });
      return {};
    },

    async changePassword({ userId, sessionId, oldPassword, newPassword, client }) {
      const { user } = await users.getUser({ userId });
      checkPassword(newPassword, required(user, 'user').username, 'newPassword');
      try {
        return await users.changePassword(
          {
            userId,
            oldPassword: hashable(oldPassword),
            newPassword,
            keepSessionId: sessionId,
            address: addressOf(client),
          },
          passwordDeadline,
        );
      } catch (error) {
        // Not UNAUTHENTICATED: the caller is signed in, and a client signs itself out on that code.
        if (error instanceof GoChatError && error.code === 'UNAUTHENTICATED') {
          throw new GoChatError('PERMISSION_DENIED', 'The old password is wrong.');
        }
        throw error;
      }
    },

    async listSessions(request) {
      const { userId, cursor } = request;
      const { limit, offset } = readPaging('sessions', request);
      return users.listSessions({ userId, limit, offset, cursor });
    },

    async revokeSession({ userId, sessionId }) {
      await users.revokeSession({ userId, sessionId });
      return {};
    },

    listRevokedSessions: (request) => users.listRevokedSessions(request),
  };
}

const notValid = { valid: false, userId: '', sessionId: '', expiresAt: 0, isGuest: false };

const addressOf = (client: ClientInfo | undefined): string => cut(client?.address, maxAddressLength);

/** A handler that runs `otherwise` if no session was opened because the account was erased or its password changed. */
const ifAccountChanged =
  (otherwise: () => Promise<Session>) =>
  (error: unknown): Promise<Session> => {
    if (!['UNAUTHENTICATED', 'USER_NOT_FOUND'].includes(codeOf(error))) throw error;
    return otherwise();
  };

async function refuseErased(): Promise<Session> {
  throw new GoChatError('UNAUTHENTICATED', 'This account is being erased. Sign in again.');
}

const wrongLogin = () => new GoChatError('UNAUTHENTICATED', 'The username or the password is wrong.');

const cut = (text: string | undefined, maxLength: number): string => (text ?? '').slice(0, maxLength);

/** Cuts an overlong password, which stays wrong, so that no client can make im-repo hash megabytes. */
export const hashable = (password: string): string => password.slice(0, 2 * (limits.password.longest + 1));
