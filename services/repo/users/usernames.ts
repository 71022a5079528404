import { createHash } from 'node:crypto';
import { isReservedUsername } from '../../../lib/domain/names.ts';
import type { Sql } from '../storage/database.ts';
import { formatSql } from '../storage/sql.ts';

/** Takes the place of an erased account's name. It can't be anybody's, since a colon is in no username. */
export const erasedUsername = (userId: number): string => `deleted:${userId}`;

/** The part of users_username that holds all erased names and no others: a semicolon comes next to a colon. */
export const erasedUsernames: readonly [from: string, to: string] = ['deleted:', 'deleted;'];

/** How long nobody may take the name of an erased account, so that nobody is taken for its owner. */
const reservationMs = 30 * 24 * 3_600_000;

/** A name that somebody has, or had until not long ago, or that nobody may have. */
export async function isNameTaken(sql: Sql, username: string): Promise<boolean> {
  if (isReservedUsername(username)) return true;
  const rows = await sql.query(
    // users_username; the primary key of username_reservations
    `SELECT 1 FROM users WHERE username = ?
     UNION ALL SELECT 1 FROM username_reservations WHERE name_hash = ? AND reserved_until > ?`,
    [username, nameHash(username), Date.now()],
  );
  return rows.length > 0;
}

/** The statement that keeps a name away from others for a while, of the transaction that erases its account. */
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
 * Statements that make a name found by its parts. They follow, in the same transaction, the one that gives the name:
 * whoever writes rows of a user here holds the lock of its row in users, so that nobody waits for one of these.
 */
export function insertSuffixes(userId: number, username: string): string[] {
  const rows = suffixesOf(username).map((suffix) => [suffix, userId]);
  return rows.length === 0
    ? []
    : [formatSql('INSERT INTO username_suffixes (suffix, user_id) VALUES ?', [rows])];
}

/**
 * Statements that end it, of the transaction that takes the name away. One a row, by its whole key: a small table would
 * be searched for a list of them row by row, which waits for every writer of another name.
 */
export const deleteSuffixes = (userId: number, username: string): string[] =>
  suffixesOf(username).map((suffix) =>
    formatSql('DELETE FROM username_suffixes WHERE suffix = ? AND user_id = ?', [suffix, userId]),
  );

/** All but the name itself, which users_username has. */
const suffixesOf = (username: string): string[] =>
  Array.from(username, (_, index) => username.slice(index)).slice(1);
