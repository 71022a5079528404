// Room: accounts from registration to erasure: passwords, guests, external identities. Profiles and friendships belong
// in other rooms.

import { randomInt } from 'node:crypto';
import { countedAddress } from '../../../lib/client-address.ts';
import { accountStatus } from '../../../lib/domain/enumerations.ts';
import { parseId } from '../../../lib/domain/ids.ts';
import { isUsername, usernameRule } from '../../../lib/domain/names.ts';
import { invalid, userNotFound } from '../../../lib/domain/refusals.ts';
import { signInAddressMs } from '../../../lib/domain/session-lifetimes.ts';
import { codeOf, GoChatError } from '../../../lib/errors.ts';
import type { User, UserServiceService } from '../../../lib/gen/im_repo/v1/user.ts';
import type { UnaryHandlers } from '../../../lib/grpc/definition.ts';
import type { Logger } from '../../../lib/log.ts';
import type { Cache } from '../cache/cache.ts';
import type { FileLinks } from '../file-links/file-links.ts';
import { domainEvent, type Outbox, writeEvents } from '../outbox/outbox.ts';
import { toUserCard, type UserRow, userColumns, userInfoKey } from '../rows/user-cards.ts';
import { revokeSessionsAndCommit } from '../sessions/session-revocations.ts';
import { credentialOf } from '../sessions/user-sessions.ts';
import type { Databases } from '../storage/databases.ts';
import type { Ids } from '../storage/ids.ts';
import { isTrue } from '../storage/sql.ts';
import { createAccountNames, createNameSettling, usernameTaken } from '../users/account-names.ts';
import { createInsertUser } from '../users/user-insert.ts';
import { isSameName } from '../users/usernames.ts';
import type { Passwords } from './password.ts';

const guestNameAttempts = 5;

type Handlers = Pick<
  UnaryHandlers<typeof UserServiceService>,
  'createUser' | 'getSignInAccount' | 'verifyPassword' | 'changePassword' | 'upgradeGuest'
>;

/** Creates accounts and handles their passwords. */
export function createUserAccounts(deps: {
  databases: Databases;
  ids: Ids;
  passwords: Passwords;
  cache: Cache;
  outbox: Outbox;
  links: FileLinks;
  log: Logger;
}): Handlers {
  const { databases, ids, passwords, cache, outbox, links } = deps;
  const insertUser = createInsertUser(deps);
  const names = createAccountNames(deps);
  const settleName = createNameSettling(deps);

  const newUser = (username: string, avatarUrl: string, isGuest: boolean): User => ({
    id: String(ids.nextId()),
    username,
    displayName: username,
    avatarUrl,
    isGuest,
    createdAt: Date.now(),
  });

  async function createGuest(avatarUrl: string): Promise<User> {
    for (let left = guestNameAttempts - 1; ; left--) {
      const user = newUser(guestName(), avatarUrl, true);
      try {
        await insertUser(user, null);
        return user;
      } catch (error) {
        if (left <= 0 || codeOf(error) !== 'USERNAME_TAKEN') throw error;
      }
    }
  }

  return {
    async createUser({ username, password, avatarUrl, isGuest, address }) {
      if (isGuest) return { user: await createGuest(avatarUrl), credential: credentialOf(null) };
      checkCredentials(username, password);
      // Checked before the expensive hash. The reservation checks it again.
      if (await names.isTaken(username)) throw usernameTaken();
      const hash = await passwords.hash(password, queueKeyOf(address, username));
      const user = newUser(username, avatarUrl, false);
      await insertUser(user, hash);
      return { user, credential: credentialOf(hash) };
    },

    async getSignInAccount({ username, userId, address }) {
      const id = userId === '' ? await names.userIdOf(username) : parseId(userId);
      const [row] = await databases.users.query<{ id: number; username: string; known: number | null }>(
        // Indexes: the primary keys of both tables.
        `SELECT u.id, u.username, a.last_sign_in_at AS known FROM users u
         LEFT JOIN sign_in_addresses a ON a.user_id = u.id AND a.address = ? AND a.last_sign_in_at > ?
         WHERE u.id = ? AND u.status = ${accountStatus.active}`,
        [countedAddress(address), Date.now() - signInAddressMs, id ?? 0],
      );
      // The directory may name an account that is just being renamed.
      if (row && userId === '' && !isSameName(row.username, username))
        return { userId: '', knownAddress: false };
      return { userId: row ? String(row.id) : '', knownAddress: (row?.known ?? null) !== null };
    },

    async verifyPassword({ username, userId, password, address }) {
      const byName = userId === undefined;
      const id = byName ? await names.userIdOf(username) : parseId(userId);
      const [found] = await databases.users.query<UserRow & { password_hash: string | null }>(
        `SELECT ${userColumns}, password_hash FROM users WHERE id = ? AND status = ${accountStatus.active}`,
        [id ?? 0],
      );
      const row = byName && found && !isSameName(found.username, username) ? undefined : found;
      const wrong = { valid: false, credential: Buffer.alloc(0), withoutPassword: false };
      // A caller that gives an id is signed in, so an early answer reveals nothing to it.
      if (!byName && !row?.password_hash) return { ...wrong, withoutPassword: true };
      const queueKey = queueKeyOf(address, row ? String(row.id) : username);
      const valid = await passwords.verify(password, row?.password_hash ?? null, queueKey);
      return row && valid
        ? { ...wrong, valid, user: links.user(toUserCard(row)), credential: credentialOf(row.password_hash) }
        : wrong;
    },

    async changePassword({ userId, oldPassword, newPassword, keepSessionId, address }) {
      checkPassword(newPassword);
      const id = parseId(userId) ?? 0;
      const [row] = await databases.users.query<{ password_hash: string | null }>(
        `SELECT password_hash FROM users WHERE id = ? AND status = ${accountStatus.active}`,
        [id],
      );
      if (!row) throw userNotFound();
      const queueKey = queueKeyOf(address, userId);
      if (!(await passwords.verify(oldPassword, row.password_hash, queueKey))) throw wrongPassword();
      const hash = await passwords.hash(newPassword, queueKey);
      return databases.users.transaction(async (tx) => {
        const { affectedRows } = await tx.execute(
          `UPDATE users SET password_hash = ?, updated_at = ? WHERE id = ? AND status = ${accountStatus.active} AND password_hash = ?`,
          [hash, Date.now(), id, row.password_hash],
        );
        // A concurrent call changed the password, so the verified one is no longer current.
        if (affectedRows === 0) throw wrongPassword();
        return { revokedSessionIds: await revokeSessionsAndCommit(tx, id, keepSessionId) };
      });
    },

    async upgradeGuest({ userId, username, password, address }) {
      checkCredentials(username, password);
      const id = parseId(userId) ?? 0;
      const [guest] = await databases.users.query<{ is_guest: number }>(
        `SELECT is_guest FROM users WHERE id = ? AND status = ${accountStatus.active}`,
        [id],
      );
      if (!guest) throw userNotFound();
      if (!isTrue(guest.is_guest)) throw notAGuest();
      if (await names.isTaken(username)) throw usernameTaken();
      const hash = await passwords.hash(password, queueKeyOf(address, userId));
      const { pending } = await names.reserve(id, username);
      const upgraded = await cache.change(async (touch) => {
        await touch([userInfoKey(userId)]);
        return databases.users.transaction(async (tx) => {
          // SQL assigns from left to right, so display_name is compared with the old username.
          const { affectedRows } = await tx.execute(
            `UPDATE users SET display_name = IF(display_name = username, ?, display_name),
               username = ?, password_hash = ?, is_guest = FALSE, updated_at = ?
             WHERE id = ? AND is_guest AND status = ${accountStatus.active}`,
            [username, username, hash, Date.now(), id],
          );
          if (affectedRows === 0) throw notAGuest();
          const [row] = await tx.query<UserRow>(`SELECT ${userColumns} FROM users WHERE id = ?`, [id]);
          await writeEvents(tx, [domainEvent({ type: 'user.updated', actor_id: userId, user_id: userId })]);
          // The guest's tokens must not give access to the account that now has a password.
          const revokedSessionIds = await revokeSessionsAndCommit(tx, id);
          return { user: row && links.user(toUserCard(row)), revokedSessionIds };
        });
      });
      outbox.wake();
      await settleName(id, pending);
      return { ...upgraded, credential: credentialOf(hash) };
    },
  };
}

const queueKeyOf = (address: string | undefined, account: string) => ({
  address: countedAddress(address ?? ''),
  account,
});

function checkCredentials(username: string, password: string): void {
  if (!isUsername(username)) throw invalid('username', usernameRule);
  checkPassword(password);
}

/** Checks only what bounds the cost of hashing. im-logic has checked the password rules. */
function checkPassword(password: string): void {
  if (password === '' || password.length > 1024) throw invalid('password', 'must be 1 to 1024 characters');
}

const wrongPassword = () => new GoChatError('UNAUTHENTICATED', 'The old password is wrong.');
const notAGuest = () =>
  new GoChatError('PERMISSION_DENIED', 'Only a guest can be turned into a registered user.');

const guestAlphabet = 'abcdefghjkmnpqrstuvwxyz23456789';

/** There are 31^8 names. A collision is rare and is retried. */
const guestName = (): string =>
  `guest-${Array.from({ length: 8 }, () => guestAlphabet[randomInt(guestAlphabet.length)]).join('')}`;
