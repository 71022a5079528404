import { createHash, randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { accountStatus } from '../../../lib/domain/enumerations.ts';
import { userNotFound } from '../../../lib/domain/refusals.ts';
import { codeOf } from '../../../lib/errors.ts';
import type { SignInExternalRequest, User, UserServiceService } from '../../../lib/gen/im_repo/v1/user.ts';
import type { UnaryHandlers } from '../../../lib/grpc/definition.ts';
import type { Logger } from '../../../lib/log.ts';
import type { Cache } from '../cache/cache.ts';
import type { FileLinks } from '../file-links/file-links.ts';
import { changeOwnPicture } from '../files/own-picture.ts';
import { domainEvent, type Outbox, writeEvents } from '../outbox/outbox.ts';
import type { Pending } from '../projections/projections.ts';
import { toUserCard, type UserRow, userColumns, userInfoKey } from '../rows/user-cards.ts';
import { credentialOf } from '../sessions/user-sessions.ts';
import { formatSql, isDuplicateKey, type SqlValue } from '../storage/database.ts';
import type { Databases } from '../storage/databases.ts';
import type { Ids } from '../storage/ids.ts';
import { createAccountNames, createNameSettling } from '../users/account-names.ts';
import { createInsertUser } from '../users/user-insert.ts';
import { isSameName } from '../users/usernames.ts';

const attempts = 5;
/** How long another call may take to make the account, times the number of the attempt. */
const pauseMs = 50;

type Handlers = Pick<UnaryHandlers<typeof UserServiceService>, 'signInExternal'>;
type Row = UserRow & { password_hash: string | null };
/** A new name; with the note of its reservation unless it is the old one in another case. */
type Renaming = { username: string; pending?: Pending };

/** Serves sign-ins with the identity of an external identity provider. */
export function createExternalIdentities(deps: {
  databases: Databases;
  ids: Ids;
  cache: Cache;
  outbox: Outbox;
  links: FileLinks;
  log: Logger;
}): Handlers {
  const { databases, ids, cache, outbox } = deps;
  const insertUser = createInsertUser(deps);
  const names = createAccountNames(deps);
  const settleName = createNameSettling(deps);

  async function create(request: SignInExternalRequest, hash: Buffer): Promise<void> {
    const createdAt = Date.now();
    for (let left = attempts - 1; ; left--) {
      const id = ids.nextId();
      const username = await freeName(left === attempts - 1 ? request.username : undefined);
      const user: User = {
        id: String(id),
        username,
        displayName: request.displayName ?? username,
        avatarUrl: request.avatarUrl ?? '',
        isGuest: false,
        createdAt,
      };
      const identity = formatSql(
        `INSERT INTO external_identities (identity_hash, issuer, subject, user_id, created_at) VALUES (?)`,
        [[hash, request.issuer, request.subject, id, createdAt]],
      );
      try {
        return await insertUser(user, null, [identity]);
      } catch (error) {
        // A concurrent call took the name, or stored this same identity.
        const isTaken = codeOf(error) === 'USERNAME_TAKEN';
        if (!(isTaken || isDuplicateKey(error)) || left <= 0) throw error;
        if (await find(databases, hash)) return;
        // An identity without an active account belongs to one that is just being made, that died before it was made,
        // or that was closed.
        if (!isTaken) await freeIdentity(hash, attempts - left);
      }
    }
  }

  /** Stores the profile fields of the token that differ from the stored ones. */
  async function update(request: SignInExternalRequest, row: Row): Promise<void> {
    const { username, displayName, avatarUrl } = request;
    const renamed =
      username !== undefined && username !== row.username ? await takeName(row, username) : undefined;
    // A display name that equals the username was never chosen, so it follows the username.
    const followed = row.display_name === row.username ? renamed?.username : undefined;
    const changes = Object.entries({
      username: renamed?.username,
      display_name: displayName ?? followed,
      avatar_url: avatarUrl,
    }).filter(([column, value]) => value !== undefined && value !== row[column as keyof Row]);
    if (changes.length === 0) return;
    const userId = String(row.id);
    await cache.change(async (touch) => {
      await touch([userInfoKey(userId)]);
      await databases.users.transaction(async (tx) => {
        if (avatarUrl !== undefined) await changeOwnPicture(tx, row.id, avatarUrl);
        const { affectedRows } = await tx.execute(
          `UPDATE users SET ${changes.map(([column]) => `${column} = ?, `).join('')} updated_at = ?
           WHERE id = ? AND status = ${accountStatus.active} AND username = ?`,
          [...changes.map(([, value]) => value as SqlValue), Date.now(), row.id, row.username],
        );
        // The account was closed or renamed meanwhile. The next sign-in tries again.
        if (affectedRows === 0) return;
        await writeEvents(tx, [domainEvent({ type: 'user.updated', actor_id: userId, user_id: userId })]);
      });
    });
    outbox.wake();
    if (renamed !== undefined) await settleName(row.id, renamed.pending);
  }

  /** Reserves the name for the account; undefined if it is not free. Its own name in another case is always free. */
  async function takeName(row: Row, username: string): Promise<Renaming | undefined> {
    if (isSameName(username, row.username)) return { username };
    if (await names.isTaken(username)) return undefined;
    try {
      return await names.reserve(row.id, username);
    } catch (error) {
      if (codeOf(error) !== 'USERNAME_TAKEN') throw error;
      return undefined;
    }
  }

  async function freeName(wanted: string | undefined): Promise<string> {
    if (wanted !== undefined && !(await names.isTaken(wanted))) return wanted;
    return `user-${randomInt(2 ** 40).toString(36)}`;
  }

  /** Waits a moment for whoever is just making the account, then frees the identity if nobody is. */
  async function freeIdentity(hash: Buffer, attempt: number): Promise<void> {
    await sleep(attempt * pauseMs);
    const userId = await userIdOf(databases, hash);
    if (userId !== undefined) await names.settle(userId);
  }

  return {
    async signInExternal(request) {
      const hash = hashOf(request.issuer, request.subject);
      const known = await find(databases, hash);
      if (!known) {
        await create(request, hash);
      } else {
        await update(request, known);
      }
      const row = await find(databases, hash);
      // The account was erased meanwhile. The next sign-in creates a new one.
      if (!row) throw userNotFound();
      return { user: deps.links.user(toUserCard(row)), credential: credentialOf(row.password_hash) };
    },
  };
}

/** SHA-256 of issuer and subject; the issuer's length keeps ('ab', 'c') and ('a', 'bc') apart. */
const hashOf = (issuer: string, subject: string): Buffer =>
  createHash('sha256')
    .update(`${Buffer.byteLength(issuer)}:${issuer}${subject}`)
    .digest();

async function userIdOf({ directory }: Databases, hash: Buffer): Promise<number | undefined> {
  const [row] = await directory.query<{ user_id: number }>(
    'SELECT user_id FROM external_identities WHERE identity_hash = ?',
    [hash],
  );
  return row?.user_id;
}

async function find(databases: Databases, hash: Buffer): Promise<Row | undefined> {
  const userId = await userIdOf(databases, hash);
  if (userId === undefined) return undefined;
  const [row] = await databases.users.query<Row>(
    `SELECT ${userColumns}, password_hash FROM users WHERE id = ? AND status = ${accountStatus.active}`,
    [userId],
  );
  return row;
}
