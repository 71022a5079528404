import { conversationStatus, conversationType, memberRole } from '../../../lib/domain/enumerations.ts';
import { limitOf } from '../../../lib/domain/limits.ts';
import type { ConversationServiceService } from '../../../lib/gen/im_repo/v1/conversation.ts';
import type { UnaryHandlers } from '../../../lib/grpc/definition.ts';
import { requireClosed } from '../accounts/user-closing.ts';
import type { Cache, Change } from '../cache/cache.ts';
import {
  conversationUpdated,
  membersRemoved,
  membersUpdated,
} from '../conversation-changes/conversation-events.ts';
import { type LockedConversation, lockRow } from '../conversation-changes/conversation-lock.ts';
import {
  conversationKeys,
  countMembers,
  deleteMembers,
  deletePointers,
  memberKeys,
} from '../conversation-changes/member-rows.ts';
import type { FileLinks } from '../file-links/file-links.ts';
import { changePicture } from '../files/file-references.ts';
import { insertEvents, type Outbox } from '../outbox/outbox.ts';
import { userIdOf } from '../rows/conversation-access.ts';
import { databaseTime } from '../storage/change-time.ts';
import { formatSql, type Sql, type Transaction } from '../storage/database.ts';
import { type Databases, fromAll } from '../storage/databases.ts';
import { dissolve } from './conversation-dissolve.ts';

const pageSize = { usual: 20, most: 200 };

type Handlers = Pick<UnaryHandlers<typeof ConversationServiceService>, 'leaveConversations'>;
type Outcome = 'no member' | 'left' | 'dissolved';

/** Removes an account that is being erased from its groups and the world room, in one transaction per conversation. */
export function createConversationsLeave(deps: {
  databases: Databases;
  cache: Cache;
  outbox: Outbox;
  links: FileLinks;
}): Handlers {
  const { databases, cache, outbox, links } = deps;

  const leave = (id: number, userId: number): Promise<Outcome> =>
    cache.change((touch) =>
      databases.messagesOf(id).transaction(async (tx) => {
        const locked = await lockRow(tx, id, [userId]);
        if (!locked?.members.has(userId)) return 'no member';
        const { conversation } = locked;
        if (conversation.type === conversationType.world) return leaveWorld(tx, touch, id, userId);
        if (conversation.owner_id !== userId) return leaveGroup(tx, touch, links, conversation, userId);
        const successor = await readSuccessor(tx, id, userId);
        if (successor !== undefined) return leaveGroup(tx, touch, links, conversation, userId, successor);
        if (conversation.status === conversationStatus.creating) return discard(tx, conversation, userId);
        await dissolve(tx, touch, conversation, String(userId));
        return 'dissolved';
      }),
    );

  return {
    async leaveConversations(request) {
      const userId = userIdOf(request.userId);
      const limit = limitOf(request.limit, pageSize);
      await requireClosed(databases.users, userId);
      // Index: the primary key of conversation_members. The result includes groups that are still being created.
      const found = await fromAll(databases.shards, (shard) =>
        shard.query<{ conversation_id: number }>(
          `SELECT m.conversation_id FROM conversation_members m
           JOIN conversations c ON c.id = m.conversation_id AND c.type <> ?
           WHERE m.user_id = ? ORDER BY m.conversation_id LIMIT ?`,
          [conversationType.single, userId, limit + 1],
        ),
      );
      let left = 0;
      let dissolved = 0;
      for (const { conversation_id: id } of found.slice(0, limit)) {
        const outcome = await leave(id, userId);
        if (outcome !== 'no member') left += 1;
        if (outcome === 'dissolved') dissolved += 1;
        outbox.wake();
      }
      return { left, dissolved, more: found.length > limit };
    },
  };
}

/** Everybody belongs to the world room, so leaving it writes no event and doesn't change its `updated_at`. */
async function leaveWorld(
  tx: Transaction,
  touch: Change['touch'],
  id: number,
  userId: number,
): Promise<Outcome> {
  await touch([...conversationKeys(id), ...memberKeys([userId])]);
  await tx.batchAndCommit(
    [
      `UPDATE conversation_heads SET member_version = member_version + 1 WHERE conversation_id = ${id}`,
      `UPDATE conversations SET member_count = member_count - 1 WHERE id = ${id}`,
      ...deleteMembers(id, [userId]),
    ].join(';\n'),
  );
  return 'left';
}

async function leaveGroup(
  tx: Transaction,
  touch: Change['touch'],
  links: FileLinks,
  conversation: LockedConversation,
  userId: number,
  successor?: number,
): Promise<Outcome> {
  const { id } = conversation;
  const now = Date.now();
  const changedMembers = successor === undefined ? [userId] : [userId, successor];
  await touch([...conversationKeys(id), ...memberKeys(changedMembers)]);
  const events = membersRemoved(conversation, String(userId), [userId]);
  const handover: string[] = [];
  if (successor !== undefined) {
    const next: LockedConversation = {
      ...conversation,
      owner_id: successor,
      member_count: conversation.member_count - 1,
      updated_at: Math.max(conversation.updated_at, now),
    };
    events.push(...membersUpdated(id, String(userId), [successor]));
    events.push(...conversationUpdated(next, String(userId), links));
    handover.push(
      formatSql('UPDATE conversations SET owner_id = ? WHERE id = ?', [successor, id]),
      formatSql(
        `UPDATE conversation_members SET role = ?, muted = FALSE, changed_at = ${databaseTime}
         WHERE user_id = ? AND conversation_id = ?`,
        [memberRole.owner, successor, id],
      ),
    );
  }
  const isVisible = conversation.status === conversationStatus.active;
  await tx.batchAndCommit(
    [
      ...deleteMembers(id, [userId]),
      ...countMembers(id, -1, now),
      ...handover,
      ...(isVisible ? [insertEvents(events)] : []),
    ].join(';\n'),
  );
  return 'left';
}

/** The new owner: the admin who joined first, or the member who joined first if there is no admin. */
async function readSuccessor(tx: Sql, id: number, ownerId: number): Promise<number | undefined> {
  // Index: conversation_members_conversation.
  const [row] = await tx.query<{ user_id: number }>(
    `SELECT user_id FROM conversation_members WHERE conversation_id = ? AND user_id <> ?
     ORDER BY role DESC, joined_at, user_id LIMIT 1`,
    [id, ownerId],
  );
  return row?.user_id;
}

/** Deletes a group that was never activated and whose last member leaves. The flow that creates it finds it gone. */
async function discard(
  tx: Transaction,
  { id, avatar_url }: LockedConversation,
  userId: number,
): Promise<Outcome> {
  await tx.batchAndCommit(
    [
      `DELETE FROM conversation_heads WHERE conversation_id = ${id}`,
      `DELETE FROM conversations WHERE id = ${id}`,
      ...deleteMembers(id, [userId]),
      ...deletePointers(id, [userId]),
      ...changePicture(id, avatar_url, ''),
    ].join(';\n'),
  );
  return 'dissolved';
}
