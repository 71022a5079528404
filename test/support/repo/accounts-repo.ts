import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { User } from '../../../lib/gen/im_repo/v1/user.ts';
import { openRepoParts } from './open-repo.ts';
import { createUserParts } from './user-parts.ts';

export const password = 'correct horse battery';

/** Repo's handlers for users and sessions, with short forms of frequent calls. */
export async function openAccountsRepo() {
  const { parts } = await openRepoParts();
  const users = createUserParts(parts);

  async function register(username: string): Promise<User> {
    return required((await users.createUser({ username, password, avatarUrl: '', isGuest: false })).user);
  }

  async function guest(): Promise<User> {
    return required(
      (await users.createUser({ username: '', password: '', avatarUrl: '', isGuest: true })).user,
    );
  }

  /** Opens a session for a user, as after a successful password check. */
  async function signIn(user: User, ttlMs = 60_000, known?: Buffer): Promise<string> {
    const credential = known ?? (await credentialOf(user));
    const sessionId = randomUUID();
    const expiresAt = Date.now() + ttlMs;
    await users.createSession({
      userId: user.id,
      sessionId,
      credential,
      expiresAt,
      accessExpiresAt: expiresAt,
      userAgent: 'test',
      address: '127.0.0.1',
    });
    return sessionId;
  }

  async function credentialOf({ username }: User): Promise<Buffer> {
    const { valid, credential } = await users.verifyPassword({ username, password });
    assert.ok(valid);
    return credential;
  }

  const rotate = (
    sessionId: string,
    presentedGeneration: number,
    presentedTokenHash: Buffer = Buffer.alloc(0),
  ) =>
    users.rotateSession({
      sessionId,
      presentedGeneration,
      presentedTokenHash,
      expiresAt: Date.now() + 60_000,
      accessExpiresAt: Date.now() + 30_000,
    });

  const sessionsOf = async ({ id }: User) =>
    (await users.listSessions({ userId: id })).sessions.map((s) => s.id);

  return { parts, users, register, guest, signIn, credentialOf, rotate, sessionsOf };
}

/** Returns the value; throws an AssertionError if it is undefined. */
export function required<T>(value: T | undefined): T {
  assert.ok(value !== undefined);
  return value;
}
