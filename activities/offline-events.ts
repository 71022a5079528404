import type { PresenceTransition } from '../lib/gen/im_repo/v1/online_status.ts';
import type { GroupCommit } from '../lib/kafka/group-commit.ts';
import { topics } from '../lib/kafka/topics.ts';
import type { UserEvent } from '../lib/records/records.ts';

/** Publishes one event per user who went offline; resolves when Kafka has acknowledged all of them. */
export async function publishOffline(
  produce: GroupCommit['send'],
  users: readonly PresenceTransition[],
): Promise<void> {
  await Promise.all(
    users.map((user) => produce(topics.userEvents, user.userId, JSON.stringify(offlineEvent(user)))),
  );
}

function offlineEvent({ userId, epoch, lastActiveAt }: PresenceTransition): UserEvent {
  return {
    // The id is the same for every publisher and every retry, so consumers see one event per transition.
    event_id: `user.offline/${userId}/${epoch}`,
    type: 'user.offline',
    occurred_at: Date.now(),
    actor_id: userId,
    user_id: userId,
    epoch,
    last_active_at: lastActiveAt,
  };
}
