// Room: decides who may connect and call: access tokens, revoked sessions, the number of connections. What a user may
// do in a conversation is decided by im-logic.

import { GoChatError } from '../../../lib/errors.ts';
import type { AccessToken, AccessTokenVerifier } from '../../../lib/tokens.ts';
import type { RevokedSessions } from './revoked-sessions.ts';

export type Access = {
  /**
   * Verifies an access token and resolves to its content. Rejects with UNAUTHENTICATED, or with UNAVAILABLE while this
   * gateway cannot know whether the token's session was revoked.
   */
  check(token: string | undefined): Promise<AccessToken>;
};

/** Checks access tokens without a call to another service: signature and expiry, then the list of revoked sessions. */
export function createAccess(
  tokens: AccessTokenVerifier,
  revoked: Pick<RevokedSessions, 'has' | 'isComplete'>,
): Access {
  return {
    async check(token) {
      if (!token) throw new GoChatError('UNAUTHENTICATED', 'This request needs a valid access token.');
      const access = await tokens.verify(token);
      if (!revoked.isComplete()) {
        throw new GoChatError('UNAVAILABLE', 'This gateway has just started. Try again in a moment.');
      }
      if (revoked.has(access.sessionId)) {
        throw new GoChatError('UNAUTHENTICATED', 'This session was signed out.');
      }
      return access;
    },
  };
}
