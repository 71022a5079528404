import { conversationStatus, memberRole } from '../../../lib/domain/enumerations.ts';
import type { ConversationServiceService } from '../../../lib/gen/im_repo/v1/conversation.ts';
import type { UnaryHandlers } from '../../../lib/grpc/definition.ts';
import type { Cache, Change } from '../cache/cache.ts';
import { conversationDissolved } from '../conversation-changes/conversation-events.ts';
import {
  changeTimes,
  denied,
  type LockedConversation,
  lockActive,
  requireGroupMember,
} from '../conversation-changes/conversation-lock.ts';
import { conversationKeys, deleteMembers, memberKeys } from '../conversation-changes/member-rows.ts';
import { changePicture } from '../files/file-references.ts';
import { createOperations, storeAnswer } from '../once/operations.ts';
import { insertEvents, type Outbox } from '../outbox/outbox.ts';
import { conversationIdOf, userIdOf } from '../rows/conversation-access.ts';
import type { Transaction } from '../storage/database.ts';
import type { Databases } from '../storage/databases.ts';
import { readMemberIds } from './group-conversation.ts';

type Handlers = Pick<UnaryHandlers<typeof ConversationServiceService>, 'dissolveConversation'>;

/** Dissolves a group for all members. Only its owner may do so. */
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
          databases.messagesOf(id).transaction(async (tx) => {
            const locked = await lockActive(tx, id, [actorId]);
            const actor = requireGroupMember(locked, actorId);
            if (actor.role !== memberRole.owner) throw denied('Only the owner can dissolve a group.');
            const answer = storeAnswer(id, request.operationId, {});
            await dissolve(tx, touch, locked.conversation, request.actorId, answer);
          }),
        );
        outbox.wake();
        return {};
      });
    },
  };
}

/**
 * Dissolves a conversation: deletes its members and clears its texts; its messages stay stored. The caller holds the
 * lock of its head. Commits the transaction, together with the statements in `also`.
 */
export async function dissolve(
  tx: Transaction,
  touch: Change['touch'],
  { id, avatar_url }: Pick<LockedConversation, 'id' | 'avatar_url'>,
  actorId: string,
  also: readonly string[] = [],
): Promise<void> {
  const memberIds = await readMemberIds(tx, id);
  await touch([...conversationKeys(id), ...memberKeys(memberIds)]);
  await tx.batchAndCommit(
    [
      ...also,
      ...changePicture(id, avatar_url, ''),
      ...deleteMembers(id, memberIds),
      `UPDATE conversation_heads SET member_version = member_version + 1 WHERE conversation_id = ${id}`,
      `UPDATE conversations SET status = ${conversationStatus.dissolved}, member_count = 0, name = '',
         avatar_url = '', description = '', announcement = '', ${changeTimes(Date.now())}
       WHERE id = ${id}`,
      `DELETE FROM conversation_former_members WHERE conversation_id = ${id}`,
      insertEvents(conversationDissolved(id, actorId, memberIds)),
    ].join(';\n'),
  );
}
