import { inviters, isOneOf, memberRole } from '../../../lib/domain/enumerations.ts';
import { invalid } from '../../../lib/domain/refusals.ts';
import type {
  ConversationServiceService,
  UpdateConversationRequest,
} from '../../../lib/gen/im_repo/v1/conversation.ts';
import type { UnaryHandlers } from '../../../lib/grpc/definition.ts';
import type { Cache } from '../cache/cache.ts';
import { conversationUpdated } from '../conversation-changes/conversation-events.ts';
import {
  denied,
  type LockedConversation,
  lockActive,
  requireGroupMember,
} from '../conversation-changes/conversation-lock.ts';
import { conversationKeys } from '../conversation-changes/member-rows.ts';
import type { ConversationList } from '../conversation-lists/conversation-list.ts';
import type { FileLinks } from '../file-links/file-links.ts';
import { type FileAccess, requireReadablePicture } from '../files/file-access.ts';
import { changePicture } from '../files/file-references.ts';
import { insertEvents, type Outbox } from '../outbox/outbox.ts';
import { conversationIdOf, userIdOf } from '../rows/conversation-access.ts';
import { databaseTime } from '../storage/change-time.ts';
import { formatSql } from '../storage/database.ts';
import type { Databases } from '../storage/databases.ts';
import { checkMaxMembers } from './group-conversation.ts';

type Handlers = Pick<UnaryHandlers<typeof ConversationServiceService>, 'updateConversation'>;

type Changes = Partial<
  Pick<
    LockedConversation,
    'name' | 'avatar_url' | 'description' | 'announcement' | 'invite_by' | 'mute_all' | 'max_members'
  >
>;

/** Changes a group's texts and settings. Only its owner and admins may do so. */
export function createConversationUpdate(deps: {
  databases: Databases;
  cache: Cache;
  outbox: Outbox;
  list: ConversationList;
  access: FileAccess;
  links: FileLinks;
}): Handlers {
  const { databases, cache, outbox, list, access, links } = deps;
  return {
    async updateConversation(request) {
      const id = conversationIdOf(request.conversationId);
      const actorId = userIdOf(request.actorId);
      const changes = changesOf(request);
      await requireReadablePicture(access, actorId, changes.avatar_url ?? '');
      await cache.change((touch) =>
        databases.messagesOf(id).transaction(async (tx) => {
          const locked = await lockActive(tx, id, [actorId]);
          const actor = requireGroupMember(locked, actorId);
          if (actor.role < memberRole.admin) throw denied('Only the owner and admins can change a group.');
          const { member_count, updated_at } = locked.conversation;
          if (changes.max_members !== undefined && changes.max_members < member_count) {
            throw invalid('max_members', `must not be below the ${member_count} members that the group has`);
          }
          if (Object.keys(changes).length === 0) return;
          await touch(conversationKeys(id));
          const changed = {
            ...locked.conversation,
            ...changes,
            updated_at: Math.max(updated_at, Date.now()),
          };
          await tx.batchAndCommit(
            [
              formatSql(
                `UPDATE conversations SET name = ?, avatar_url = ?, description = ?, announcement = ?, invite_by = ?,
                   mute_all = ?, max_members = ?, updated_at = ?, changed_at = ${databaseTime}
                 WHERE id = ?`,
                [
                  changed.name,
                  changed.avatar_url,
                  changed.description,
                  changed.announcement,
                  changed.invite_by,
                  changed.mute_all,
                  changed.max_members,
                  changed.updated_at,
                  id,
                ],
              ),
              ...changePicture(id, locked.conversation.avatar_url, changed.avatar_url),
              insertEvents(conversationUpdated(changed, request.actorId, links)),
            ].join(';\n'),
          );
        }),
      );
      outbox.wake();
      return { conversation: await list.one(request.actorId, id) };
    },
  };
}

/** The columns that a request changes, with their new values. Throws INVALID_ARGUMENT. */
function changesOf(request: UpdateConversationRequest): Changes {
  const { inviteBy, maxMembers, muteAll } = request;
  if (inviteBy !== undefined && !isOneOf(inviters, inviteBy)) {
    throw invalid('invite_by', 'must be "admins" or "members"');
  }
  if (maxMembers !== undefined) checkMaxMembers(maxMembers);
  return {
    ...(request.name === undefined ? {} : { name: request.name }),
    ...(request.avatarUrl === undefined ? {} : { avatar_url: request.avatarUrl }),
    ...(request.description === undefined ? {} : { description: request.description }),
    ...(request.announcement === undefined ? {} : { announcement: request.announcement }),
    ...(inviteBy === undefined ? {} : { invite_by: inviteBy }),
    ...(muteAll === undefined ? {} : { mute_all: muteAll ? 1 : 0 }),
    ...(maxMembers === undefined ? {} : { max_members: maxMembers }),
  };
}
