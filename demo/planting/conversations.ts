import type { Group } from '../world/world.ts';
import { type Caller, isRefusal } from './calls.ts';

/** The conversation of two people, who become friends if they are not. */
export async function befriend(a: Caller, b: Caller): Promise<string> {
  const isKnown = !a.isNew && !b.isNew;
  if (isKnown) {
    try {
      const { conversation } = await a.api('POST /conversations', { body: { type: 1, memberIds: [b.id] } });
      return conversation.id;
    } catch (error) {
      if (!isRefusal(error, 'NOT_FRIENDS')) throw error;
    }
  }
  const { request } = await a.api('POST /friends/requests', { body: { targetUserId: b.id } });
  const { conversation } = await b.api('PUT /friends/requests/{requestId}', {
    path: { requestId: request.id },
    body: { action: 1 },
  });
  if (!conversation) throw new Error('an accepted friend request has a conversation');
  return conversation.id;
}

/** The group of this name that its owner has, or a new one. */
export async function gather(
  group: Group,
  key: string,
  callerAt: (index: number) => Caller,
): Promise<string> {
  const owner = callerAt(group.owner);
  const { name, description, members } = group;
  const { conversations } = owner.isNew
    ? { conversations: [] }
    : await owner.api('GET /conversations', { query: { limit: 200 } });
  const known = conversations.find((one) => one.name === name && one.ownerId === owner.id);
  if (known) return known.id;
  const { conversation } = await owner.api('POST /conversations', {
    body: { type: 2, name, description, memberIds: members.map((member) => callerAt(member).id) },
    idempotencyKey: key,
  });
  return conversation.id;
}

/** Gives the members of a group their roles, after they have talked: who is muted could not react any more. */
export async function appoint(
  { owner, admins, muted, announcement }: Group,
  id: string,
  callerAt: (index: number) => Caller,
): Promise<void> {
  const { api } = callerAt(owner);
  const path = (member: number) => ({ id, userId: callerAt(member).id });
  for (const admin of admins) {
    await api('PATCH /conversations/{id}/members/{userId}', { path: path(admin), body: { role: 2 } });
  }
  if (muted !== undefined) {
    await api('PATCH /conversations/{id}/members/{userId}', { path: path(muted), body: { muted: true } });
  }
  await api('PATCH /conversations/{id}', { path: { id }, body: { announcement } });
}
