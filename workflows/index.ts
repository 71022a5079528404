/** The entry file of the workers' bundle: it exports every workflow under the name of its type. */
export { archiveColdMessages } from './archive-cold-messages/workflow.ts';
export { changeMembers } from './change-members/workflow.ts';
export { cleanupExpiredStatus } from './cleanup-expired-status/workflow.ts';
export { compactColdMessages } from './compact-cold-messages/workflow.ts';
export { confirmOffline } from './confirm-offline/workflow.ts';
export { createGroup } from './create-group/workflow.ts';
export { eraseUser } from './erase-user/workflow.ts';
export { fanoutMessages } from './fanout-messages/workflow.ts';
export { friendRequest } from './friend-request/workflow.ts';
export { moderateConversation } from './moderate-conversation/workflow.ts';
export { purgeGuests } from './purge-guests/workflow.ts';
export { reconcileCounters } from './reconcile-counters/workflow.ts';
export { reindex } from './reindex/workflow.ts';
