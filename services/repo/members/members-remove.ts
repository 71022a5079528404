import { memberRole } from '../../../lib/domain/enumerations.ts';
import { GoChatError } from '../../../lib/errors.ts';
import type {
  ConversationServiceService,
  RemoveConversationMemberRequest,
} from '../../../lib/gen/im_repo/v1/conversation.ts';
import type { UnaryHandlers } from '../../../lib/grpc/definition.ts';
import type { Cache } from '../cache/cache.ts';
import { membersRemoved } from '../conversation-changes/conversation-events.ts';
import {
  denied,
  type LockedConversation,
  lockActive,
  type Members,
  requireGroup,
  requireGroupMember,
} from '../conversation-changes/conversation-lock.ts';
import { rememberFormerMembers } from '../conversation-changes/former-members.ts';
import {
  conversationKeys,
  countMembers,
  deleteMembers,
  memberKeys,
} from '../conversation-changes/member-rows.ts';
import { actorIdOf, userIdsOf } from '../conversation-changes/newcomers.ts';
import { dissolve } from '../conversations/conversation-dissolve.ts';
import { createOperations, storeAnswer } from '../once/operations.ts';
import { insertEvents, type Outbox } from '../outbox/outbox.ts';
import { conversationIdOf } from '../rows/conversation-access.ts';
import type { Databases } from '../storage/databases.ts';
import { isTrue } from '../storage/sql.ts';

type Handlers = Pick<UnaryHandlers<typeof ConversationServiceService>, 'removeConversationMember'>;

/** Removes members from a group, all of them or none. An actor may remove members of a lower role, and itself. */
export function createMembersRemove(deps: { databases: Databases; cache: Cache; outbox: Outbox }): Handlers {
  const { databases, cache, outbox } = deps;
  const operations = createOperations(deps);
  return {
    async removeConversationMember(request) {
      const id = conversationIdOf(request.conversationId);
      return operations.once(id, request.operationId, () => remove(request, id));
    },
  };

  async function remove(request: RemoveConversationMemberRequest, id: number) {
    const actorId = actorIdOf(request.actorId);
    const userIds = userIdsOf('user_ids', request.userIds);
    const answer = { removed: userIds.map(String) };
    await cache.change((touch) =>
      databases.messagesOf(id).transaction(async (tx) => {
        const locked = await lockActive(tx, id, actorId === 0 ? userIds : [actorId, ...userIds]);
        checkRights(locked, actorId, userIds);
        if (userIds.length === locked.conversation.member_count) {
          const stored = storeAnswer(id, request.operationId, answer);
          await dissolve(tx, touch, locked.conversation, request.actorId, stored);
          return;
        }
        await touch([...conversationKeys(id), ...memberKeys(userIds)]);
        const now = Date.now();
        const former = userIds.map((userId) => ({
          userId,
          removed: userId !== actorId,
          muted: isTrue(locked.members.get(userId)?.muted),
        }));
        await tx.batchAndCommit(
          [
            ...storeAnswer(id, request.operationId, answer),
            ...deleteMembers(id, userIds),
            ...rememberFormerMembers(id, former, now),
            ...countMembers(id, -userIds.length, now),
            insertEvents(membersRemoved(locked.conversation, request.actorId, userIds)),
          ].join(';\n'),
        );
      }),
    );
    outbox.wake();
    return answer;
  }
}

function checkRights(
  locked: { conversation: LockedConversation; members: Members },
  actorId: number,
  userIds: readonly number[],
): void {
  const { conversation, members } = locked;
  const actorRole = actorId === 0 ? Number.POSITIVE_INFINITY : requireGroupMember(locked, actorId).role;
  requireGroup(conversation);
  const others = userIds.filter((userId) => userId !== actorId);
  if (others.length > 0 && actorRole < memberRole.admin) {
    throw denied('Only the owner and admins can remove members.');
  }
  for (const userId of others) {
    const member = members.get(userId);
    if (!member) throw new GoChatError('USER_NOT_FOUND', `User ${userId} is not a member of this group.`);
    if (member.role >= actorRole) throw denied('Members of the same or a higher role cannot be removed.');
  }
  const leavesOthers = conversation.member_count > userIds.length;
  if (userIds.includes(conversation.owner_id) && leavesOthers) {
    throw denied('The owner cannot leave the group. Transfer its ownership to another member first.');
  }
}
