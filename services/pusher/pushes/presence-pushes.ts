import { onlineStatus } from '../../../lib/domain/enumerations.ts';
import { seesPresence } from '../../../lib/domain/user-settings.ts';
import type { Push } from '../../../lib/gen/im_gateway/v1/pusher.ts';
import type { RepoClient } from '../../../lib/grpc/clients.ts';
import type { UserEvent } from '../../../lib/records/records.ts';
import { pushesTo } from './push.ts';

type PresenceEvent = Extract<UserEvent, { last_active_at: number }>;

export const isPresence = (event: UserEvent): event is PresenceEvent =>
  event.type === 'user.online' || event.type === 'user.offline';

export type Audience = {
  /** The friends of each user who lets friends see the presence. */
  friends: ReadonlyMap<string, string[]>;
  /** Users with an offline event who are online again by now. */
  back: ReadonlySet<string>;
};

/** Looks up the audience of all presence events together, with few calls. */
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

/** The friends' ids of each user. Takes one call, or more if they do not fit into one answer. */
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
 * Pushes a user's change of presence to the user's friends. Different processes write the online and offline events, so
 * an offline event may arrive after a later online event: it is skipped if the user is online by now.
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
