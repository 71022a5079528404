import type { RepoClient } from '../lib/grpc/clients.ts';
import type { GroupCommit } from '../lib/kafka/group-commit.ts';
import type { Metrics } from '../lib/metrics.ts';
import { createChangeMembersActivities } from './change-members.ts';
import { createCleanupExpiredStatusActivities } from './cleanup-expired-status.ts';
import { createArchiveColdMessagesActivities } from './cold-messages/archive-cold-messages.ts';
import { createCompactColdMessagesActivities } from './cold-messages/compact-cold-messages.ts';
import { createConfirmOfflineActivities } from './confirm-offline.ts';
import { createCreateGroupActivities } from './create-group.ts';
import { createEraseUserActivities } from './erase-user.ts';
import { createFanoutMessagesActivities } from './fanout-messages/fanout-messages.ts';
import type { LiveConversations } from './fanout-messages/live-conversations.ts';
import { createFriendRequestActivities } from './friend-request.ts';
import { createModerateConversationActivities } from './moderate-conversation.ts';
import { createPurgeGuestsActivities } from './purge-guests.ts';
import { createReconcileCountersActivities } from './reconcile-counters.ts';
import { createReindexActivities } from './reindex.ts';

export type ActivityDeps = {
  repo: RepoClient;
  /** Appends a record to a topic, in order; resolves when the broker has acknowledged it. */
  produce: GroupCommit['send'];
  live: LiveConversations;
  metrics: Metrics;
  /** FRIEND_REQUEST_TTL_MS. */
  friendRequestTtlMs: number;
  /** FRIEND_REQUEST_COOLDOWN_MS. */
  friendRequestCooldownMs: number;
};

export type Activities = ReturnType<typeof createActivities>;

/** All activities: one file or folder per flow, with the name of the flow. */
export const createActivities = (deps: ActivityDeps) => ({
  ...createArchiveColdMessagesActivities(deps),
  ...createChangeMembersActivities(deps),
  ...createCleanupExpiredStatusActivities(deps),
  ...createCompactColdMessagesActivities(deps),
  ...createConfirmOfflineActivities(deps),
  ...createCreateGroupActivities(deps),
  ...createEraseUserActivities(deps),
  ...createFanoutMessagesActivities(deps),
  ...createFriendRequestActivities(deps),
  ...createModerateConversationActivities(deps),
  ...createPurgeGuestsActivities(deps),
  ...createReconcileCountersActivities(deps),
  ...createReindexActivities(deps),
});
