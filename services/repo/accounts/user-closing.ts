import { deletedUser } from '../../../lib/domain/deleted-user.ts';
import { accountStatus } from '../../../lib/domain/enumerations.ts';
import { parseId } from '../../../lib/domain/ids.ts';
import { userNotFound } from '../../../lib/domain/refusals.ts';
import { GoChatError } from '../../../lib/errors.ts';
import type { UserServiceService } from '../../../lib/gen/im_repo/v1/user.ts';
import type { UnaryHandlers } from '../../../lib/grpc/definition.ts';
import type { Logger } from '../../../lib/log.ts';
import type { Cache } from '../cache/cache.ts';
import { checkFilesOf } from '../files/file-rows.ts';
import { deleteFlowTexts } from '../once/flow-texts.ts';
import { domainEvent, type Outbox, writeEvents } from '../outbox/outbox.ts';
import { forgetProjection, noteProjection, pendingProjection } from '../projections/projections.ts';
import { userInfoKey } from '../rows/user-cards.ts';
import { eraseSessionsAndCommit } from '../sessions/session-revocations.ts';
import { formatSql, type Sql } from '../storage/database.ts';
import type { Databases } from '../storage/databases.ts';
import { isTrue } from '../storage/sql.ts';
import { createNameSettling, nameProjection } from '../users/account-names.ts';
import { userSettingsKey } from '../users/user-settings.ts';
import { erasedUsername } from '../users/usernames.ts';

type Handlers = Pick<UnaryHandlers<typeof UserServiceService>, 'closeAccount'>;
type Row = { status: number; is_guest: number; last_active_at: number };

/**
 * Closes an account: the first step of its erasure, which can't be undone. Every call that creates friendships,
 * sessions or memberships requires an active account. From here on the remaining data therefore only shrinks.
 */
export function createUserClosing(deps: {
  databases: Databases;
  cache: Cache;
  outbox: Outbox;
  log: Logger;
}): Handlers {
  const { databases, cache, outbox } = deps;
  const settleName = createNameSettling(deps);
  return {
    async closeAccount({ userId, idleGuestBefore }) {
      const id = parseId(userId);
      if (id === undefined) throw userNotFound();
      const pending = pendingProjection(nameProjection, userId);
      const closed = await cache.change(async (touch) => {
        await touch([userInfoKey(userId), userSettingsKey(userId)]);
        return databases.users.transaction(async (tx) => {
          const [row] = await tx.query<Row>(
            'SELECT status, is_guest, last_active_at FROM users WHERE id = ? FOR UPDATE',
            [id],
          );
          if (!row) throw userNotFound();
          if (row.status === accountStatus.active) {
            if (idleGuestBefore > 0 && !(await isIdleGuest(tx, id, row, idleGuestBefore))) return false;
            await eraseProfile(tx, id);
            await tx.batch(noteProjection(pending));
            const about = { actor_id: userId, user_id: userId };
            // The profile has changed too. Consumers that follow only user.updated learn of it from this event.
            await writeEvents(tx, [
              domainEvent({ type: 'user.updated', ...about }),
              domainEvent({ type: 'user.erased', ...about }),
            ]);
          }
          // A repeated call also erases sessions that were opened while the account was being closed.
          await eraseSessionsAndCommit(tx, id);
          return true;
        });
      });
      outbox.wake();
      if (closed && (await settleName(id))) await databases.users.execute(forgetProjection(pending));
      return { closed };
    },
  };
}

async function isIdleGuest(tx: Sql, id: number, row: Row, before: number): Promise<boolean> {
  if (!isTrue(row.is_guest) || row.last_active_at >= before) return false;
  const sessions = await tx.query('SELECT 1 FROM sessions WHERE user_id = ? AND last_used_at >= ? LIMIT 1', [
    id,
    before,
  ]);
  return sessions.length === 0;
}

/** Erases the profile and the settings. Once the directory knows, it frees what finds the account by its name. */
async function eraseProfile(tx: Sql, id: number): Promise<void> {
  const { displayName, avatarUrl } = deletedUser(String(id));
  await tx.batch(
    [
      formatSql(
        `UPDATE users SET status = ?, username = ?, password_hash = NULL, display_name = ?, avatar_url = ?,
           is_guest = FALSE, updated_at = ?
         WHERE id = ?`,
        [accountStatus.erased, erasedUsername(id), displayName, avatarUrl, Date.now(), id],
      ),
      formatSql('DELETE FROM user_settings WHERE user_id = ?', [id]),
      deleteFlowTexts(id),
      formatSql('DELETE FROM sign_in_addresses WHERE user_id = ?', [id]),
      checkFilesOf(id, Date.now()),
    ].join(';\n'),
  );
}

/** Throws PERMISSION_DENIED unless the account is closed. Every later step of the erasure calls this first. */
export async function requireClosed(sql: Sql, userId: number): Promise<void> {
  const [row] = await sql.query<{ status: number }>('SELECT status FROM users WHERE id = ?', [userId]);
  if (!row) throw userNotFound();
  if (row.status !== accountStatus.erased) {
    throw new GoChatError('PERMISSION_DENIED', 'This account is not being erased.');
  }
}
