// Room: what each event tells whom, as frames. How a gateway is reached is not known here.

import type { Push } from '../../../lib/gen/im_gateway/v1/pusher.ts';
import type { ServerFrame } from '../../../lib/wire/frames.ts';

/** Users named in one push. */
const usersPerPush = 500;

/** A frame, the event behind it, and the socket session that must not get it. */
export type PushedFrame = ServerFrame & { eventId: string; excludeSessionId?: string };

/** One frame for some users, in as many pushes as their number needs. */
export function pushesTo(userIds: string[], frame: PushedFrame): Push[] {
  const dataJson = frame.data === undefined ? '' : JSON.stringify(frame.data);
  const pushes: Push[] = [];
  for (let from = 0; from < userIds.length; from += usersPerPush) {
    pushes.push({
      userIds: userIds.slice(from, from + usersPerPush),
      type: frame.type,
      dataJson,
      excludeSessionId: frame.excludeSessionId ?? '',
      eventId: frame.eventId,
    });
  }
  return pushes;
}
