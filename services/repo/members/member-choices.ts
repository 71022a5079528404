import { conversationStatus } from '../../../lib/domain/enumerations.ts';
import type { ConversationServiceService } from '../../../lib/gen/im_repo/v1/conversation.ts';
import type { UnaryHandlers } from '../../../lib/grpc/definition.ts';
import type { Cache } from '../cache/cache.ts';
import { membersUpdated } from '../conversation-changes/conversation-events.ts';
import type { ConversationList } from '../conversation-lists/conversation-list.ts';
import { insertEvents, type Outbox } from '../outbox/outbox.ts';
import { conversationIdOf, noAccess, userIdOf } from '../rows/conversation-access.ts';
import { isHidden, membershipsKey } from '../rows/memberships.ts';
import { databaseTime } from '../storage/change-time.ts';
import { formatSql, type Transaction } from '../storage/database.ts';
import type { Databases } from '../storage/databases.ts';
import { isTrue } from '../storage/sql.ts';

type Handlers = Pick<UnaryHandlers<typeof ConversationServiceService>, 'updateMemberChoices'>;

/**
 * A member's own choices for a conversation: notifications, pinned, hidden. A change locks only the member's row and
 * not the conversation, so that frequent changes never delay senders.
 */
export function createMemberChoices(deps: {
  databases: Databases;
  cache: Cache;
  outbox: Outbox;
  list: ConversationList;
}): Handlers {
  const { databases, cache, outbox, list } = deps;
  return {
    async updateMemberChoices({ userId, conversationId, notifications, pinned, hidden }) {
      const id = conversationIdOf(conversationId);
      const user = userIdOf(userId);
      const changed = await cache.change((touch) =>
        databases.messagesOf(id).transaction(async (tx) => {
          const row = await lockOwn(tx, id, user);
          if (!row) throw await noAccess(tx, id);
          const wasHidden = isHidden({ hiddenAtSeqId: row.hidden_at_seq_id }, row.last_seq_id);
          const next = {
            notifications:
              notifications === undefined ? row.notifications : storedNotifications(notifications),
            pinned: pinned ?? isTrue(row.pinned),
            hidden: hidden ?? wasHidden,
          };
          const isSame =
            next.notifications === row.notifications &&
            next.pinned === isTrue(row.pinned) &&
            next.hidden === wasHidden;
          if (isSame) return false;
          await touch([membershipsKey(userId)]);
          await tx.batchAndCommit(
            [
              // By primary key. A message stored meanwhile shows the conversation again, like any later message.
              formatSql(
                `UPDATE conversation_members
                 SET notifications = ?, pinned = ?, hidden_at_seq_id = ?, changed_at = ${databaseTime}
                 WHERE user_id = ? AND conversation_id = ?`,
                [next.notifications, next.pinned, next.hidden ? row.last_seq_id : null, user, id],
              ),
              insertEvents(membersUpdated(id, userId, [user])),
            ].join(';\n'),
          );
          return true;
        }),
      );
      if (changed) outbox.wake();
      return { conversation: await list.one(userId, id) };
    },
  };
}

/** `all` is the default, which is stored as NULL. */
const storedNotifications = (notifications: string): string | null =>
  notifications === 'all' ? null : notifications;

type Row = {
  notifications: string | null;
  pinned: number;
  hidden_at_seq_id: number | null;
  last_seq_id: number;
};

/** Locks the member's row and reads the conversation's last seq id. Undefined if there is no such membership. */
async function lockOwn(tx: Transaction, id: number, userId: number): Promise<Row | undefined> {
  const [own, heads] = (await tx.batch(
    [
      // Indexes: the primary keys of all tables.
      `SELECT notifications, pinned, hidden_at_seq_id FROM conversation_members
       WHERE user_id = ${userId} AND conversation_id = ${id} FOR UPDATE`,
      `SELECT h.last_seq_id FROM conversation_heads h
       JOIN conversations c ON c.id = h.conversation_id AND c.status = ${conversationStatus.active}
       WHERE h.conversation_id = ${id}`,
    ].join(';\n'),
  )) as [Omit<Row, 'last_seq_id'>[], { last_seq_id: number }[]];
  const [row] = own;
  const [head] = heads;
  return row && head && { ...row, ...head };
}
