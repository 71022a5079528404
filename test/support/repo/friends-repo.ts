import assert from 'node:assert/strict';
import { friendRequestStatus } from '../../../lib/domain/enumerations.ts';
import type { User } from '../../../lib/gen/im_repo/v1/user.ts';
import { tellPair } from './message-parts.ts';
import { openRepoParts } from './open-repo.ts';
import { createUserParts } from './user-parts.ts';

/** Repo's handlers for friends, users for them, and short forms of frequent calls. */
export async function openFriendsRepo() {
  const { parts } = await openRepoParts();
  /** The ids of the accounts that are online. */
  const online = new Set<string>();
  const friendships = createUserParts(parts, {
    batchGetOnlineStatus: async ({ userIds }) => ({
      statuses: userIds.map((userId) => ({
        userId,
        online: online.has(userId),
        lastActiveAt: online.has(userId) ? 5 : 0,
        gatewayIds: [],
      })),
    }),
  });

  async function newUser(): Promise<User> {
    const { user } = await friendships.createUser({
      username: '',
      password: '',
      avatarUrl: '',
      isGuest: true,
    });
    assert.ok(user);
    return user;
  }

  async function ask(from: User, to: User, ttl = 60_000, cooldownMs = 0) {
    const { request, created } = await friendships.createFriendRequest({
      requesterId: from.id,
      targetId: to.id,
      message: 'hi',
      ttlMs: ttl,
      cooldownMs,
    });
    assert.ok(request);
    return { ...request, created };
  }

  const decide = async (requestId: string, actor: User | undefined, status: number) => {
    const { request, changed } = await friendships.updateFriendRequest({
      requestId,
      actorId: actor?.id ?? '',
      status,
    });
    assert.ok(request);
    return { status: request.status, changed };
  };

  async function befriend(one: User, other: User): Promise<void> {
    await decide((await ask(one, other)).id, other, friendRequestStatus.accepted);
  }

  async function standing(one: User, other: User) {
    const { relationships } = await friendships.getRelationships({
      userId: one.id,
      otherUserIds: [other.id],
    });
    const [found] = relationships;
    assert.ok(found);
    return { friends: found.friends, blockedBy: found.blockedBy, blocking: found.blocking };
  }

  /** Creates the single conversation of two friends. */
  async function converse(
    one: User,
    other: User,
  ): Promise<{ id: number; sendState(): Promise<number | undefined> }> {
    const { databases, ids } = parts;
    const id = ids.nextId();
    const key = [one.id, other.id].sort((a, b) => Number(a) - Number(b)).join(':');
    await databases.conversations.execute(
      `INSERT INTO conversations (id, type, status, name, avatar_url, description, announcement, owner_id, member_count,
         invite_by, mute_all, max_members, single_key, created_at, updated_at)
       VALUES (?, 1, 1, '', '', '', '', 0, 2, 'admins', FALSE, 2, ?, 0, 0)`,
      [id, key],
    );
    await databases.conversations.execute('INSERT INTO conversation_heads (conversation_id) VALUES (?)', [
      id,
    ]);
    await tellPair(databases.users, key, id);
    return {
      id,
      async sendState() {
        const [row] = await databases.conversations.query<{ state: number }>(
          'SELECT send_state AS state FROM conversations WHERE id = ?',
          [id],
        );
        return row?.state;
      },
    };
  }

  return { parts, friendships, online, newUser, ask, decide, befriend, standing, converse };
}
