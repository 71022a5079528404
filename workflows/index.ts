/** Every workflow type that the workers run; the file's names are the types' names. */
export { changeMembers } from './change-members.ts';
export { cleanupExpiredStatus } from './cleanup-expired-status.ts';
export { confirmOffline } from './confirm-offline.ts';
export { createGroup } from './create-group.ts';
export { eraseUser } from './erase-user.ts';
export { fanoutMessages } from './fanout-messages.ts';
export { friendRequest } from './friend-request.ts';
export { moderateConversation } from './moderate-conversation.ts';
export { purgeGuests } from './purge-guests.ts';
export { reconcileCounters } from './reconcile-counters.ts';
