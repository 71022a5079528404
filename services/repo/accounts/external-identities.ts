import { createHash, randomInt } from 'node:crypto';
import { accountStatus } from '../../../lib/domain/enumerations.ts';
import { userNotFound } from '../../../lib/domain/refusals.ts';
import type { SignInExternalRequest, User, UserServiceService } from '../../../lib/gen/im_repo/v1/user.ts';
import type { UnaryHandlers } from '../../../lib/grpc/definition.ts';
import type { Cache } from '../cache/cache.ts';
import { domainEvent, type Outbox, writeEvents } from '../outbox/outbox.ts';
import { toUserCard, type UserRow, userColumns, userInfoKey } from '../rows/user-cards.ts';
import { credentialOf } from '../sessions/user-sessions.ts';
import { type Databases, formatSql, isDuplicateKey, type Sql, type SqlValue } from '../storage/database.ts';
import type { Ids } from '../storage/ids.ts';
import { createInsertUser } from '../users/user-insert.ts';
import { deleteSuffixes, insertSuffixes, isNameTaken } from '../users/usernames.ts';

const attempts = 5;

type Handlers = Pick<UnaryHandlers<typeof UserServiceService>, 'signInExternal'>;
type Row = UserRow & { password_hash: string | null };

/** Serves sign-ins with the identity of an external identity provider. */
export function createExternalIdentities(deps: {
  databases: Databases;
  ids: Ids;
  cache: Cache;
  outbox: Outbox;
}): Handlers {
  const { databases, ids, cache, outbox } = deps;
  const insertUser = createInsertUser(deps);
  const users = databases.users;

  async function create(request: SignInExternalRequest, hash: Buffer): Promise<void> {
    const createdAt = Date.now();
    for (let left = attempts - 1; ; left--) {
      const id = ids.nextId();
      const username = await freeName(users, left === attempts - 1 ? request.username : undefined);
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
        if (!isDuplicateKey(error) || left <= 0) throw error;
        if (await find(users, hash)) return;
      }
    }
  }

  /** Stores the profile fields of the token that differ from the stored ones. */
  async function update(request: SignInExternalRequest, row: Row): Promise<void> {
    const { username, displayName, avatarUrl } = request;
    const renamed =
      username !== undefined && username !== row.username && (await isFreeFor(users, username, row))
        ? username
        : undefined;
    // A display name that equals the username was never chosen, so it follows the username.
    const followed = row.display_name === row.username ? renamed : undefined;
    const changes = Object.entries({
      username: renamed,
      display_name: displayName ?? followed,
      avatar_url: avatarUrl,
    }).filter(([column, value]) => value !== undefined && value !== row[column as keyof Row]);
    if (changes.length === 0) return;
    const userId = String(row.id);
    await cache.change(async (touch) => {
      await touch([userInfoKey(userId)]);
      await users.transaction(async (tx) => {
        const { affectedRows } = await tx.execute(
          `UPDATE users SET ${changes.map(([column]) => `${column} = ?, `).join('')} updated_at = ?
           WHERE id = ? AND status = ${accountStatus.active} AND username = ?`,
          [...changes.map(([, value]) => value as SqlValue), Date.now(), row.id, row.username],
        );
        // The account was closed or renamed meanwhile. The next sign-in tries again.
        if (affectedRows === 0) return;
        if (renamed !== undefined) {
          const suffixes = [...deleteSuffixes(row.id, row.username), ...insertSuffixes(row.id, renamed)];
          await tx.batch(suffixes.join(';\n'));
        }
        await writeEvents(tx, [domainEvent({ type: 'user.updated', actor_id: userId, user_id: userId })]);
      });
    });
    outbox.wake();
  }

  return {
    async signInExternal(request) {
      const hash = hashOf(request.issuer, request.subject);
      const known = await find(users, hash);
      if (!known) {
        await create(request, hash);
      } else {
        await update(request, known).catch((error: unknown) => {
          // A concurrent call took the username. Store the other fields without it.
          if (!isDuplicateKey(error, 'users_username')) throw error;
          return update({ ...request, username: undefined }, known);
        });
      }
      const row = await find(users, hash);
      // The account was erased meanwhile. The next sign-in creates a new one.
      if (!row) throw userNotFound();
      return { user: toUserCard(row), credential: credentialOf(row.password_hash) };
    },
  };
}

/** SHA-256 of issuer and subject; the issuer's length keeps ('ab', 'c') and ('a', 'bc') apart. */
const hashOf = (issuer: string, subject: string): Buffer =>
  createHash('sha256')
    .update(`${Buffer.byteLength(issuer)}:${issuer}${subject}`)
    .digest();

async function find(sql: Sql, hash: Buffer): Promise<Row | undefined> {
  const [row] = await sql.query<Row>(
    // Indexes: the primary keys of both tables.
    `SELECT ${userColumns
      .split(', ')
      .map((column) => `u.${column}`)
      .join(', ')}, u.password_hash
     FROM external_identities e JOIN users u ON u.id = e.user_id
     WHERE e.identity_hash = ? AND u.status = ${accountStatus.active}`,
    [hash],
  );
  return row;
}

/** True if the user may take the username. A user may always change the case of their own name. */
const isFreeFor = async (sql: Sql, username: string, row: Row): Promise<boolean> =>
  username.toLowerCase() === row.username.toLowerCase() || !(await isNameTaken(sql, username));

async function freeName(sql: Sql, wanted: string | undefined): Promise<string> {
  if (wanted !== undefined && !(await isNameTaken(sql, wanted))) return wanted;
  return `user-${randomInt(2 ** 40).toString(36)}`;
}
