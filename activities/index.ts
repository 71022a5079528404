import type { RepoClient } from '../lib/grpc/clients.ts';
import type { GroupCommit } from '../lib/kafka/group-commit.ts';
import type { Metrics } from '../lib/metrics.ts';
import { createMemberActivities } from './change-members.ts';
import { createPresenceActivities } from './confirm-offline.ts';
import { createGroupActivities } from './create-group.ts';
import { createErasureActivities } from './erase-user.ts';
import { createFanoutActivities } from './fanout-messages/fanout-messages.ts';
import type { LiveConversations } from './fanout-messages/live-conversations.ts';
import { createFriendshipActivities } from './friend-request.ts';
import { createModerationActivities } from './moderate-conversation.ts';
import { createCounterActivities } from './reconcile-counters.ts';

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
