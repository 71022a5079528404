import { conversationStatus, memberRole } from '../../../lib/domain/enumerations.ts';
import type { ConversationServiceService } from '../../../lib/gen/im_repo/v1/conversation.ts';
import type { UnaryHandlers } from '../../../lib/grpc/definition.ts';
import type { Cache, Change } from '../cache/cache.ts';
import { conversationDissolved } from '../conversation-changes/conversation-events.ts';
import {
  denied,
  lockActive,
  requireGroupMember,
  touched,
} from '../conversation-changes/conversation-lock.ts';
import { conversationKeys, deleteMembers, memberKeys } from '../conversation-changes/member-rows.ts';
import { createOperations, storeAnswer } from '../once/operations.ts';
import { insertEvents, type Outbox } from '../outbox/outbox.ts';
import { conversationIdOf, userIdOf } from '../rows/conversation-access.ts';
import type { Databases, Transaction } from '../storage/database.ts';
import { readMemberIds } from './group-conversation.ts';

type Handlers = Pick<UnaryHandlers<typeof ConversationServiceService>, 'dissolveConversation'>;

/** Ends a group for all of its members, by its owner. */
export function createConversationDissolve(deps: {
  databases: Databases;
  cache: Cache;
  outbox: Outbox;
}): Handlers {
  const { databases, cache, outbox } = deps;
  const operations = createOperations(deps);
  return {
    async dissolveConversation(request) {
      const id = conversationIdOf(request.conversationId);
      const actorId = userIdOf(request.actorId);
      return operations.once(id, request.operationId, async () => {
        await cache.change((touch) =>
          databases.conversations.transaction(async (tx) => {
            const actor = requireGroupMember(await lockActive(tx, id, [actorId]), actorId);
            if (actor.role !== memberRole.owner) throw denied('Only the owner dissolves a group.');
            await dissolve(tx, touch, id, request.actorId, storeAnswer(id, request.operationId, {}));
          }),
        );
        outbox.wake();
        return {};
      });
    },
  };
}

/** Members lose the conversation, which loses its texts; its messages stay stored. Commits, with what else is to be stored; its head is locked. */
export async function dissolve(
  tx: Transaction,
  touch: Change['touch'],
  id: number,
  actorId: string,
  also: readonly string[] = [],
): Promise<void> {
  const memberIds = await readMemberIds(tx, id);
  await touch([...conversationKeys(id), ...memberKeys(memberIds)]);
  await tx.batchAndCommit(
    [
      ...also,
      ...deleteMembers(id, memberIds),
      `UPDATE conversation_heads SET member_version = member_version + 1 WHERE conversation_id = ${id}`,
      `UPDATE conversations SET status = ${conversationStatus.dissolved}, member_count = 0, name = '',
         avatar_url = '', description = '', announcement = '', ${touched(Date.now())}
       WHERE id = ${id}`,
      `DELETE FROM conversation_former_members WHERE conversation_id = ${id}`,
      insertEvents(conversationDissolved(id, actorId, memberIds)),
    ].join(';\n'),
  );
}
