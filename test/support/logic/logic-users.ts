import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Session } from '../../../lib/gen/im_logic/v1/auth.ts';
import type { LogicSystem } from './logic-system.ts';

export const password = 'correct horse battery';
export const client = { userAgent: 'test', address: '127.0.0.1' };
export const uniqueName = () => `u${randomUUID().slice(0, 12)}`;

export function sessionOf({ session }: { session?: Session | undefined }): Session & { userId: string } {
  assert.ok(session?.user);
  return { ...session, userId: session.user.id };
}

/** Registers a user; resolves to the session. */
export const register = async ({ logic }: LogicSystem, username = uniqueName()) =>
  sessionOf(await logic.auth.register({ username, password, avatarUrl: '', client }));
