import type { Push } from '../../lib/gen/im_gateway/v1/pusher.ts';
import type { RepoClient } from '../../lib/grpc/clients.ts';
import type { UserEvent } from '../../lib/kafka/records.ts';
import { pushesTo } from './push.ts';

type PresenceEvent = Extract<UserEvent, { last_active_at: number }>;

export const isPresence = (event: UserEvent): event is PresenceEvent =>
  event.type === 'user.online' || event.type === 'user.offline';

/** Whom to tell about each of these users: the friends of all of them, asked for in one call. */
export async function friendsOf(events: UserEvent[], repo: RepoClient): Promise<Map<string, string[]>> {
  const userIds = [...new Set(events.filter(isPresence).map((event) => event.user_id))];
  if (userIds.length === 0) return new Map();
  const { friends } = await repo.friendships.batchGetFriendIds({ userIds });
  return new Map(friends.map(({ userId, friendIds }) => [userId, friendIds]));
}

/** A user who came or went is told to the friends. */
export function presencePushes(event: UserEvent, friends: ReadonlyMap<string, string[]>): Push[] {
  if (!isPresence(event)) return [];
  const { user_id: userId, last_active_at: lastActiveAt, event_id: eventId } = event;
  const status = event.type === 'user.online' ? 'online' : 'offline';
  return pushesTo(friends.get(userId) ?? [], {
    type: 'online-status',
    data: { userId, status, lastActiveAt },
    eventId,
  });
}
