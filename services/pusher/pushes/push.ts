// Room: the frames for each event, and the users who get them. Nothing here knows how to reach a gateway.

import type { Push } from '../../../lib/gen/im_gateway/v1/pusher.ts';
import type { ServerFrame } from '../../../lib/wire/frames.ts';

/** Maximum number of users per push. */
const maxUsersPerPush = 500;

/** A frame, the event behind it, and the socket session that must not get it. */
export type PushedFrame = ServerFrame & { eventId: string; excludeSessionId?: string };

/** Builds the pushes of one frame for the users, divided so that each push names at most 500 users. */
export function pushesTo(userIds: string[], frame: PushedFrame): Push[] {
  const dataJson = frame.data === undefined ? '' : JSON.stringify(frame.data);
  const pushes: Push[] = [];
  for (let from = 0; from < userIds.length; from += maxUsersPerPush) {
    pushes.push({
      userIds: userIds.slice(from, from + maxUsersPerPush),
      type: frame.type,
      dataJson,
      excludeSessionId: frame.excludeSessionId ?? '',
      eventId: frame.eventId,
    });
  }
  return pushes;
}
