import type { RepoClient } from '../lib/grpc/clients.ts';
import type { GroupCommit } from '../lib/kafka/group-commit.ts';
import type { Metrics } from '../lib/metrics.ts';
import { createCounterActivities } from './counters.ts';
import { createErasureActivities } from './erasure.ts';
import { createFanoutActivities } from './fanout/fanout.ts';
import type { LiveConversations } from './fanout/live-conversations.ts';
import { createFriendshipActivities } from './friendship.ts';
import { createGroupActivities } from './group.ts';
import { createMemberActivities } from './members.ts';
import { createModerationActivities } from './moderation.ts';
import { createPresenceActivities } from './presence.ts';

export type ActivityDeps = {
  repo: RepoClient;
  /** Appends to a topic, in order, resolving when the broker has it. */
  produce: GroupCommit['send'];
  live: LiveConversations;
  metrics: Metrics;
  /** FRIEND_REQUEST_TTL_MS. */
  friendRequestTtlMs: number;
  /** FRIEND_REQUEST_COOLDOWN_MS. */
  friendRequestCooldownMs: number;
};

export type Activities = ReturnType<typeof createActivities>;

/** Everything that flows may ask of the world. */
export const createActivities = (deps: ActivityDeps) => ({
  ...createFriendshipActivities(deps),
  ...createGroupActivities(deps),
  ...createFanoutActivities(deps),
  ...createErasureActivities(deps),
  ...createCounterActivities(deps),
  ...createMemberActivities(deps),
  ...createModerationActivities(deps),
  ...createPresenceActivities(deps),
});
