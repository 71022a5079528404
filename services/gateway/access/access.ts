// Room: who gets in: tokens, revoked sessions, the bound of connections. What a user may do in a conversation is
// im-logic's.

import { GoChatError } from '../../../lib/errors.ts';
import type { AccessToken, AccessTokenVerifier } from '../../../lib/tokens.ts';
import type { RevokedSessions } from './revoked-sessions.ts';

export type Access = {
  /** Who an access token stands for. Rejects with UNAUTHENTICATED. */
  check(token: string | undefined): Promise<AccessToken>;
};

/** Tokens are checked here, without asking anybody: signature and expiry, then whether their session was revoked. */
export function createAccess(tokens: AccessTokenVerifier, revoked: Pick<RevokedSessions, 'has'>): Access {
  return {
    async check(token) {
      if (!token) throw new GoChatError('UNAUTHENTICATED', 'This request needs a valid access token.');
      const access = await tokens.verify(token);
      if (revoked.has(access.sessionId)) {
        throw new GoChatError('UNAUTHENTICATED', 'This session was signed out.');
      }
      return access;
    },
  };
}
