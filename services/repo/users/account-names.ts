import { accountStatus } from '../../../lib/domain/enumerations.ts';
import { isReservedUsername, isUsernamePart } from '../../../lib/domain/names.ts';
import { GoChatError } from '../../../lib/errors.ts';
import type { Logger } from '../../../lib/log.ts';
import {
  forgetProjection,
  noteProjection,
  type Pending,
  pendingProjection,
} from '../projections/projections.ts';
import { databaseTime } from '../storage/change-time.ts';
import { formatSql, isDuplicateKey } from '../storage/database.ts';
import type { Databases } from '../storage/databases.ts';
import { deleteSuffixes, insertSuffixes, isSameName, keepName, nameHash } from './usernames.ts';

/** The kind of these projections: the directory knows an account's name, or that the account is erased. */
export const nameProjection = 'name';

/** How long a name is reserved for an account that is about to take it: longer than any transaction takes. */
const reservedMs = 30_000;

/** A name that is reserved for an account, until the account has it or does not get it. */
export type Reservation = { userId: number; username: string; pending: Pending };

export type AccountNames = {
  /** True if an account has the name, or it is reserved or forbidden. */
  isTaken(username: string): Promise<boolean>;
  /** The id of the account that has the name or is about to take it. Any text may be asked for. */
  userIdOf(username: string): Promise<number | undefined>;
  /**
   * Reserves a name for an account, in one transaction of the directory with the statements in `also`. Throws
   * USERNAME_TAKEN, or the error of one of those statements.
   */
  reserve(userId: number, username: string, also?: readonly string[]): Promise<Reservation>;
  /** After the commit of the account that has the name now, and had none before. */
  confirm(reservation: Reservation): Promise<void>;
  /**
   * Makes the directory agree with an account: confirms its name, frees those that it has no more, and keeps the name of
   * an erased account from others for a while. Call it after the commit of a new name or an erasure. `pending` is the
   * note of the reservation.
   */
  settle(userId: number, pending?: Pending): Promise<void>;
};

/**
 * The names of accounts in the directory. A name is reserved there first, then the account takes it, then the
 * reservation is confirmed. What dies in between is settled by the worker of projections.
 */
export function createAccountNames({ databases }: { databases: Databases }): AccountNames {
  const { directory, users } = databases;

  async function holderOf(username: string): Promise<Holder | undefined> {
    const [row] = await directory.query<Holder>(
      // Index: the primary key.
      `SELECT user_id, reserved_until > 0 AND reserved_until <= ${databaseTime} AS is_expired
       FROM usernames WHERE username = ?`,
      [username],
    );
    return row;
  }

  /** True if the name belonged to an account that was erased lately. */
  async function isKept(username: string): Promise<boolean> {
    const rows = await directory.query(
      // Index: the primary key.
      'SELECT 1 FROM username_reservations WHERE name_hash = ? AND reserved_until > ?',
      [nameHash(username), Date.now()],
    );
    return rows.length > 0;
  }

  /**
   * The directory is read before the account: what the account does not have by then, although the directory says so,
   * it has given up. Only rows that are still as they were read are changed, so that no later change is undone.
   */
  async function settle(userId: number, pending?: Pending): Promise<void> {
    const names = await directory.query<Name>(
      // Index: usernames_user.
      `SELECT username, reserved_until, reserved_until <= ${databaseTime} AS is_expired
       FROM usernames WHERE user_id = ?`,
      [userId],
    );
    const [account] = await users.query<Account>('SELECT username, status FROM users WHERE id = ?', [userId]);
    const statements = [
      ...settleStatements(userId, names, account),
      ...(pending ? [forgetProjection(pending)] : []),
    ];
    if (statements.length === 0) return;
    await directory.transaction((tx) => tx.batchAndCommit(statements.join(';\n')));
  }

  return {
    settle,

    async isTaken(username) {
      if (isReservedUsername(username)) return true;
      let holder = await holderOf(username);
      if (holder?.is_expired) {
        // Whoever reserved it died: the account has the name, or is erased, or the name is free.
        await settle(holder.user_id);
        holder = await holderOf(username);
      }
      // One transaction takes the name from an erased account and keeps it. So what has no holder any more is kept by now.
      return holder !== undefined || (await isKept(username));
    },

    userIdOf: async (username) =>
      isUsernamePart(username) ? (await holderOf(username))?.user_id : undefined,

    async reserve(userId, username, also = []) {
      const pending = pendingProjection(nameProjection, String(userId));
      try {
        await directory.transaction((tx) =>
          tx.batchAndCommit(
            [
              formatSql(
                `INSERT INTO usernames (username, user_id, reserved_until)
                 VALUES (?, ?, ${databaseTime} + ${reservedMs})`,
                [username, userId],
              ),
              ...insertSuffixes(userId, username),
              ...also,
              noteProjection(pending, reservedMs),
            ].join(';\n'),
          ),
        );
      } catch (error) {
        if (isDuplicateKey(error) && (await holderOf(username))) throw usernameTaken();
        throw error;
      }
      return { userId, username, pending };
    },

    async confirm({ userId, username, pending }) {
      await directory.transaction((tx) =>
        tx.batchAndCommit(
          [
            formatSql('UPDATE usernames SET reserved_until = 0 WHERE username = ? AND user_id = ?', [
              username,
              userId,
            ]),
            forgetProjection(pending),
          ].join(';\n'),
        ),
      );
    },
  };
}

type Holder = { user_id: number; is_expired: number };
type Account = { username: string; status: number };
type Name = { username: string; reserved_until: number; is_expired: number };

function settleStatements(userId: number, names: readonly Name[], account: Account | undefined): string[] {
  const isErased = account?.status === accountStatus.erased;
  const own = account && !isErased ? account.username : undefined;
  const isOwn = ({ username }: Name) => own !== undefined && isSameName(username, own);
  // A name whose reservation is running is left to whoever reserved it.
  const isLost = (name: Name) => !isOwn(name) && (isErased || name.is_expired === 1);
  const lost = names.filter(isLost);
  const kept = names.filter((name) => !isLost(name));
  const asRead = ({ username, reserved_until }: Name): string =>
    formatSql('username = ? AND user_id = ? AND reserved_until = ?', [username, userId, reserved_until]);
  return [
    ...lost.flatMap((name) => [
      `DELETE FROM usernames WHERE ${asRead(name)}`,
      ...deleteSuffixes(userId, name.username),
      ...(isErased ? [keepName(name.username)] : []),
    ]),
    ...kept
      .filter(isOwn)
      .map((name) =>
        formatSql(`UPDATE usernames SET username = ?, reserved_until = 0 WHERE ${asRead(name)}`, [own ?? '']),
      ),
    // Two names of one account may end alike.
    ...(lost.length > 0 ? kept.flatMap(({ username }) => insertSuffixes(userId, username)) : []),
    // Index: external_identities_user. An account that was never made leaves its identity free.
    ...(isErased || (!account && kept.length === 0)
      ? [formatSql('DELETE FROM external_identities WHERE user_id = ?', [userId])]
      : []),
  ];
}

/**
 * Returns `settle` for callers whose change of the account is committed: if it fails, the worker of projections settles
 * the name later. Answers whether it is settled.
 */
export function createNameSettling(deps: { databases: Databases; log: Logger }) {
  const { settle } = createAccountNames(deps);
  return async (userId: number, pending?: Pending): Promise<boolean> => {
    try {
      await settle(userId, pending);
      return true;
    } catch (error) {
      deps.log.warn({ err: error, userId }, 'cannot settle the name of an account now');
      return false;
    }
  };
}

export const usernameTaken = () => new GoChatError('USERNAME_TAKEN', 'This username is in use.');
