import { memberRole } from '../../../lib/domain/enumerations.ts';
import { invalid } from '../../../lib/domain/refusals.ts';
import { GoChatError } from '../../../lib/errors.ts';
import type { ConversationServiceService } from '../../../lib/gen/im_repo/v1/conversation.ts';
import type { UnaryHandlers } from '../../../lib/grpc/definition.ts';
import type { Cache } from '../cache/cache.ts';
import { conversationUpdated, membersUpdated } from '../conversation-changes/conversation-events.ts';
import {
  denied,
  lockActive,
  type MemberRow,
  type Members,
  requireGroupMember,
} from '../conversation-changes/conversation-lock.ts';
import { conversationKeys, memberKeys } from '../conversation-changes/member-rows.ts';
import type { ConversationList } from '../conversation-lists/conversation-list.ts';
import type { FileLinks } from '../file-links/file-links.ts';
import { createOperations, storeAnswer } from '../once/operations.ts';
import { insertEvents, type Outbox } from '../outbox/outbox.ts';
import type { ReceiptAudience } from '../receipts/receipt-audience.ts';
import { conversationIdOf, userIdOf } from '../rows/conversation-access.ts';
import type { UserCards } from '../rows/user-cards.ts';
import { databaseTime } from '../storage/change-time.ts';
import { formatSql } from '../storage/database.ts';
import type { Databases } from '../storage/databases.ts';
import { loadMembers } from './members-read.ts';

type Handlers = Pick<
  UnaryHandlers<typeof ConversationServiceService>,
  'updateConversationMember' | 'transferOwnership'
>;

/** Changes members' roles and mutes, and transfers the ownership of a group. */
export function createMembersUpdate(deps: {
  databases: Databases;
  cache: Cache;
  userCards: UserCards;
  receipts: ReceiptAudience;
  outbox: Outbox;
  list: ConversationList;
  links: FileLinks;
}): Handlers {
  const { databases, cache, outbox, list, links } = deps;
  const operations = createOperations(deps);
  return {
    async updateConversationMember(request) {
      const id = conversationIdOf(request.conversationId);
      const actorId = userIdOf(request.actorId);
      const userId = userIdOf(request.userId);
      const { role, muted } = request;
      if (role !== undefined && role !== memberRole.member && role !== memberRole.admin) {
        throw invalid('role', 'must be 1 (member) or 2 (admin)');
      }
      await cache.change((touch) =>
        databases.messagesOf(id).transaction(async (tx) => {
          const locked = await lockActive(tx, id, [actorId, userId]);
          const actor = requireGroupMember(locked, actorId);
          if (actor.role < memberRole.admin) throw denied('Only the owner and admins can change members.');
          const member = memberOf(locked.members, userId);
          if (role !== undefined && actor.role !== memberRole.owner) {
            throw denied('Only the owner can appoint and dismiss admins.');
          }
          if (member.role >= actor.role)
            throw denied('Members of the same or a higher role cannot be changed.');
          const next = {
            role: role ?? member.role,
            muted: muted === undefined ? member.muted : Number(muted),
          };
          if (next.role === member.role && next.muted === member.muted) return;
          await touch(memberKeys([userId]));
          await tx.batchAndCommit(
            [
              formatSql(
                `UPDATE conversation_members SET role = ?, muted = ?, changed_at = ${databaseTime}
                 WHERE user_id = ? AND conversation_id = ?`,
                [next.role, next.muted, userId, id],
              ),
              insertEvents(membersUpdated(id, request.actorId, [userId])),
            ].join(';\n'),
          );
        }),
      );
      outbox.wake();
      const [member] = await loadMembers(deps, id, [userId], request.actorId);
      return { member };
    },

    async transferOwnership(request) {
      const id = conversationIdOf(request.conversationId);
      const actorId = userIdOf(request.actorId);
      const userId = userIdOf(request.userId);
      await operations.once(id, request.operationId, async () => {
        await cache.change((touch) =>
          databases.messagesOf(id).transaction(async (tx) => {
            const locked = await lockActive(tx, id, [actorId, userId]);
            const actor = requireGroupMember(locked, actorId);
            if (actor.role !== memberRole.owner)
              throw denied('Only the owner can transfer the ownership of a group.');
            memberOf(locked.members, userId);
            if (userId === actorId) return;
            await touch([...conversationKeys(id), ...memberKeys([actorId, userId])]);
            const updatedAt = Math.max(locked.conversation.updated_at, Date.now());
            const changed = { ...locked.conversation, owner_id: userId, updated_at: updatedAt };
            await tx.batchAndCommit(
              [
                ...storeAnswer(id, request.operationId, {}),
                formatSql(
                  `UPDATE conversations SET owner_id = ?, updated_at = ?, changed_at = ${databaseTime} WHERE id = ?`,
                  [userId, updatedAt, id],
                ),
                formatSql(
                  `UPDATE conversation_members SET role = IF(user_id = ?, ?, ?), muted = IF(user_id = ?, FALSE, muted),
                   changed_at = ${databaseTime}
                 WHERE user_id IN (?) AND conversation_id = ?`,
                  [userId, memberRole.owner, memberRole.admin, userId, [actorId, userId], id],
                ),
                insertEvents([
                  ...membersUpdated(id, request.actorId, [actorId, userId]),
                  ...conversationUpdated(changed, request.actorId, links),
                ]),
              ].join(';\n'),
            );
          }),
        );
        outbox.wake();
        return {};
      });
      return { conversation: await list.one(request.actorId, id) };
    },
  };
}

function memberOf(members: Members, userId: number): MemberRow {
  const member = members.get(userId);
  if (!member) throw new GoChatError('USER_NOT_FOUND', 'This user is not a member of the group.');
  return member;
}
