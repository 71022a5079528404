import { createHash } from 'node:crypto';
import { formatSql } from '../storage/sql.ts';

/** The name that replaces an erased account's username. No user can have it, because usernames contain no colon. */
export const erasedUsername = (userId: number): string => `deleted:${userId}`;

/** How long the name of an erased account stays reserved, so that nobody can pose as its owner. */
const reservationMs = 30 * 24 * 3_600_000;

/** Returns the statement that keeps the name of an erased account from others for a while. */
export function keepName(username: string): string {
  const until = Date.now() + reservationMs;
  return formatSql(
    `INSERT INTO username_reservations (name_hash, reserved_until) VALUES (?, ?)
     ON DUPLICATE KEY UPDATE reserved_until = ?`,
    [nameHash(username), until, until],
  );
}

/** True if two texts are the same username. Case makes no difference. */
export const isSameName = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

export const nameHash = (username: string): Buffer =>
  createHash('sha256').update(username.toLowerCase()).digest();

/**
 * Returns the statements that make a name findable by its parts. In the same transaction they must follow the statement
 * that takes the name: it locks the name's row in usernames, so that no two transactions wait for each other here.
 */
export function insertSuffixes(userId: number, username: string): string[] {
  const rows = suffixesOf(username).map((suffix) => [suffix, userId]);
  return rows.length === 0
    ? []
    : [
        formatSql(
          'INSERT INTO username_suffixes (suffix, user_id) VALUES ? ON DUPLICATE KEY UPDATE user_id = user_id',
          [rows],
        ),
      ];
}

/**
 * Returns the statements that delete these rows, for the transaction that removes the name. There is one statement per
 * row, by the whole primary key: with a list, the server would scan a small table and wait for the writers of other
 * names.
 */
export const deleteSuffixes = (userId: number, username: string): string[] =>
  suffixesOf(username).map((suffix) =>
    formatSql('DELETE FROM username_suffixes WHERE suffix = ? AND user_id = ?', [suffix, userId]),
  );

/** All suffixes except the whole name, which usernames has. */
const suffixesOf = (username: string): string[] =>
  Array.from(username, (_, index) => username.slice(index)).slice(1);
