import type { RepoClient } from '../lib/grpc/clients.ts';
import type { ChangeMembersArgs, ChangeMembersResult } from '../workflows/change-members/contract.ts';
import { orRefusal } from './outcome.ts';

/** Adding a thousand members takes one or two seconds on a busy machine. */
const deadline = { deadlineMs: 10_000 };

/** The step of changeMembers. */
export function createChangeMembersActivities({ repo: { conversations } }: { repo: RepoClient }) {
  return {
    /** im-repo decides and stores the events in one transaction; a retry with the same key gets the same answer. */
    changeMembers({ conversationId, actorId, change, key }: ChangeMembersArgs): Promise<ChangeMembersResult> {
      const call = { actorId, conversationId, operationId: key };
      switch (change.kind) {
        case 'add':
          return orRefusal(
            conversations
              .addConversationMember({ ...call, userIds: change.userIds }, deadline)
              .then(({ refused, ...done }) => (refused.length === 0 ? done : { ...done, refused })),
          );
        case 'remove':
          return orRefusal(
            conversations
              .removeConversationMember({ ...call, userIds: change.userIds }, deadline)
              .then(({ removed }) => ({ removed })),
          );
        case 'dissolve':
          return orRefusal(conversations.dissolveConversation(call, deadline).then(() => ({})));
        case 'transfer':
          return orRefusal(
            conversations.transferOwnership({ ...call, userId: change.userId }, deadline).then(() => ({})),
          );
      }
    },
  };
}
