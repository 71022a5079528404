import { createHash } from 'node:crypto';
import { isReservedUsername } from '../../../lib/domain/names.ts';
import type { Sql } from '../storage/database.ts';
import { formatSql } from '../storage/sql.ts';

/** The name that replaces an erased account's username. No user can have it, because usernames contain no colon. */
export const erasedUsername = (userId: number): string => `deleted:${userId}`;

/** The range of users_username that holds exactly the erased names: in ASCII the semicolon follows the colon. */
export const erasedUsernames: readonly [from: string, to: string] = ['deleted:', 'deleted;'];

/** How long the name of an erased account stays reserved, so that nobody can pose as its owner. */
const reservationMs = 30 * 24 * 3_600_000;

/** True if the name is in use, reserved after an erasure, or forbidden. */
export async function isNameTaken(sql: Sql, username: string): Promise<boolean> {
  if (isReservedUsername(username)) return true;
  const rows = await sql.query(
    // Indexes: users_username and the primary key of username_reservations.
    `SELECT 1 FROM users WHERE username = ?
     UNION ALL SELECT 1 FROM username_reservations WHERE name_hash = ? AND reserved_until > ?`,
    [username, nameHash(username), Date.now()],
  );
  return rows.length > 0;
}

/** Returns the statement that reserves a name, for the transaction that erases its account. */
export function reserveName(username: string): string {
  const until = Date.now() + reservationMs;
  return formatSql(
    `INSERT INTO username_reservations (name_hash, reserved_until) VALUES (?, ?)
     ON DUPLICATE KEY UPDATE reserved_until = ?`,
    [nameHash(username), until, until],
  );
}

const nameHash = (username: string): Buffer => createHash('sha256').update(username.toLowerCase()).digest();

/**
 * Returns the statements that make a name findable by its parts. In the same transaction they must follow the statement
 * that sets the name: it locks the user's row in users, so that no two transactions wait for each other here.
 */
export function insertSuffixes(userId: number, username: string): string[] {
  const rows = suffixesOf(username).map((suffix) => [suffix, userId]);
  return rows.length === 0
    ? []
    : [formatSql('INSERT INTO username_suffixes (suffix, user_id) VALUES ?', [rows])];
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

/** All suffixes except the whole name, which users_username covers. */
const suffixesOf = (username: string): string[] =>
  Array.from(username, (_, index) => username.slice(index)).slice(1);
