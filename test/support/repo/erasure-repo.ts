import { randomUUID } from 'node:crypto';
import { credentialOf } from '../../../services/repo/sessions/user-sessions.ts';
import { password } from './accounts-repo.ts';
import { openConversationRepo } from './open-repo.ts';
import { createUserParts } from './user-parts.ts';

export const hour = 3_600_000;

/** Repo's handlers for the erasure of accounts, with short forms of frequent calls. */
export async function openErasureRepo() {
  const { repo } = await openConversationRepo();
  const people = createUserParts(repo, repo.presence);
  let lastName = 0;

  async function register(): Promise<{ id: string; username: string }> {
    const username = `somebody-${++lastName}`;
    const { user } = await people.createUser({ username, password, avatarUrl: 'a.png', isGuest: false });
    return { id: user?.id ?? '', username };
  }

  async function signIn(userId: string): Promise<string> {
    const sessionId = randomUUID();
    const [row] = await repo.databases.users.query<{ password_hash: string | null }>(
      'SELECT password_hash FROM users WHERE id = ?',
      [Number(userId)],
    );
    await people.createSession({
      userId,
      sessionId,
      credential: credentialOf(row?.password_hash ?? null),
      expiresAt: Date.now() + hour,
      accessExpiresAt: Date.now() + hour,
      userAgent: 'a browser',
      address: '192.0.2.1',
    });
    return sessionId;
  }

  const close = (userId: string, idleGuestBefore = 0) => people.closeAccount({ userId, idleGuestBefore });

  const leave = (userId: string, limit = 0) => repo.conversations.leaveConversations({ userId, limit });

  /** The findings of the reconciliation in these conversations. */
  async function wrongAt(ids: string[]) {
    const { wrong } = await repo.conversations.reconcileConversations({
      afterConversationId: '',
      limit: 1000,
      mend: false,
    });
    return wrong.filter(({ conversationId }) => ids.includes(conversationId));
  }

  return { repo, people, register, signIn, close, leave, wrongAt };
}
