import { onlineStatus } from '../../../lib/domain/enumerations.ts';
import { seesPresence } from '../../../lib/domain/user-settings.ts';
import type { Push } from '../../../lib/gen/im_gateway/v1/pusher.ts';
import type { RepoClient } from '../../../lib/grpc/clients.ts';
import type { UserEvent } from '../../../lib/kafka/records.ts';
import { pushesTo } from './push.ts';

type PresenceEvent = Extract<UserEvent, { last_active_at: number }>;

export const isPresence = (event: UserEvent): event is PresenceEvent =>
  event.type === 'user.online' || event.type === 'user.offline';

export type Audience = {
  /** Of those who let their friends see it. */
  friends: ReadonlyMap<string, string[]>;
  /** Of those said to be offline: who is here by now. */
  back: ReadonlySet<string>;
};

/** Whom to tell about all of these users, and of whom there is nothing to tell any more, asked for together. */
export async function audienceOf(events: UserEvent[], repo: RepoClient): Promise<Audience> {
  const present = events.filter(isPresence);
  const userIds = [...new Set(present.map((event) => event.user_id))];
  const leaving = new Set(
    present.filter(({ type }) => type === 'user.offline').map((event) => event.user_id),
  );
  const [friends, { settings }, { statuses }] = await Promise.all([
    friendsOf(userIds, repo),
    userIds.length === 0 ? { settings: [] } : repo.users.getUserSettings({ userIds }),
    leaving.size === 0 ? { statuses: [] } : repo.presence.batchGetOnlineStatus({ userIds: [...leaving] }),
  ]);
  const unseen = new Set(
    settings.filter(({ lastSeen }) => !seesPresence(lastSeen, true)).map(({ userId }) => userId),
  );
  return {
    friends: new Map([...friends].filter(([userId]) => !unseen.has(userId))),
    back: new Set(statuses.filter(({ online }) => online).map(({ userId }) => userId)),
  };
}

/** One call, but for those who have more friends than fit into an answer. */
async function friendsOf(userIds: string[], repo: RepoClient): Promise<Map<string, string[]>> {
  const friends = new Map<string, string[]>(userIds.map((userId) => [userId, []]));
  if (userIds.length === 0) return friends;
  let cursor: string | undefined;
  do {
    const page = await repo.friendships.batchGetFriendIds({ userIds, cursor });
    for (const { userId, friendIds } of page.friends) {
      friends.set(userId, [...(friends.get(userId) ?? []), ...friendIds]);
    }
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return friends;
}

/**
 * A user who came or went is told to the friends. Coming and going are told by different processes, so the going may
 * come after a later coming: of whom is here it isn't told.
 */
export function presencePushes(event: UserEvent, { friends, back }: Audience): Push[] {
  if (!isPresence(event)) return [];
  if (event.type === 'user.offline' && back.has(event.user_id)) return [];
  const { user_id: userId, last_active_at: lastActiveAt, event_id: eventId } = event;
  const status = event.type === 'user.online' ? onlineStatus.online : onlineStatus.offline;
  return pushesTo(friends.get(userId) ?? [], {
    type: 'online-status',
    data: { userId, status, lastActiveAt },
    eventId,
  });
}
