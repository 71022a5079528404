import { accountStatus } from '../../../lib/domain/enumerations.ts';
import type { ConversationServiceService } from '../../../lib/gen/im_repo/v1/conversation.ts';
import type { UnaryHandlers } from '../../../lib/grpc/definition.ts';
import type { Cache } from '../cache/cache.ts';
import { membersUpdated } from '../conversation-changes/conversation-events.ts';
import { lockActive } from '../conversation-changes/conversation-lock.ts';
import {
  forgetFormerMembers,
  readFormerMembers,
  rememberFormerMembers,
} from '../conversation-changes/former-members.ts';
import { memberKeys } from '../conversation-changes/member-rows.ts';
import { userIdsOf } from '../conversation-changes/newcomers.ts';
import { insertEvents, type Outbox } from '../outbox/outbox.ts';
import { conversationIdOf } from '../rows/conversation-access.ts';
import { databaseTime } from '../storage/change-time.ts';
import { formatSql } from '../storage/database.ts';
import type { Databases } from '../storage/databases.ts';
import { isTrue } from '../storage/sql.ts';

type Handlers = Pick<UnaryHandlers<typeof ConversationServiceService>, 'muteMembers'>;

/**
 * Mutes or unmutes users in a conversation of any type, for operators. Roles don't matter. For a user who is not a
 * member, the mute is stored for the time when the user joins (again), since a mute outlives leaving.
 */
export function createMembersMute(deps: { databases: Databases; cache: Cache; outbox: Outbox }): Handlers {
  const { databases, cache, outbox } = deps;
  return {
    async muteMembers({ conversationId, userIds, muted }) {
      const id = conversationIdOf(conversationId);
      const wanted = [...new Set(userIdsOf('user_ids', userIds))].sort((a, b) => a - b);
      if (wanted.length === 0) return { changed: [], unknown: [] };
      const rows = await databases.users.query<{ id: number }>(
        `SELECT id FROM users WHERE id IN (?) AND status = ${accountStatus.active}`,
        [wanted],
      );
      const existing = new Set(rows.map((row) => row.id));
      const known = wanted.filter((userId) => existing.has(userId));
      const changed = await cache.change((touch) =>
        databases.messagesOf(id).transaction(async (tx) => {
          const { members } = await lockActive(tx, id, known);
          const present = known.filter((userId) => members.has(userId));
          const toChange = present.filter((userId) => isTrue(members.get(userId)?.muted) !== muted);
          const absent = known.filter((userId) => !members.has(userId));
          const former = await readFormerMembers(tx, id, absent);
          const others = absent
            .map((userId) => former.get(userId) ?? { userId, removed: false, muted: false })
            .filter((one) => one.muted !== muted)
            .map((one) => ({ ...one, muted }));
          const withoutRecord = others
            .filter((one) => !one.muted && !one.removed)
            .map(({ userId }) => userId);
          const statements = [
            ...rememberFormerMembers(id, others, Date.now()),
            ...forgetFormerMembers(id, withoutRecord),
            ...(toChange.length === 0
              ? []
              : [
                  formatSql(
                    `UPDATE conversation_members SET muted = ?, changed_at = ${databaseTime}
                     WHERE user_id IN (?) AND conversation_id = ?`,
                    [muted, toChange, id],
                  ),
                  insertEvents(membersUpdated(id, '', toChange)),
                ]),
          ];
          if (toChange.length > 0) await touch(memberKeys(toChange));
          if (statements.length > 0) await tx.batchAndCommit(statements.join(';\n'));
          return [...toChange, ...others.map(({ userId }) => userId)];
        }),
      );
      outbox.wake();
      return {
        changed: changed.sort((a, b) => a - b).map(String),
        unknown: wanted.filter((userId) => !existing.has(userId)).map(String),
      };
    },
  };
}
