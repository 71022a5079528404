import { accountStatus } from '../../../lib/domain/enumerations.ts';
import { type UserRow, userColumns } from '../rows/user-cards.ts';
import type { Databases } from '../storage/databases.ts';
import { likeLiteral } from '../storage/sql.ts';

type SuffixRow = { suffix: string; user_id: number };

/**
 * Finds users by name. First come the names that begin with the text, in alphabetical order (an exact match is the
 * shortest, so it is first). Then come the names that contain the text, ordered by their suffix from the text on. Both
 * are ranges of an index that are read only as far as the page needs, so the cost does not grow with the number of
 * users.
 */
export async function searchUsers(databases: Databases, text: string, limit: number): Promise<UserRow[]> {
  const pattern = `${likeLiteral(text)}%`;
  const beginning = await idsBeginning(databases, pattern, limit);
  const ids =
    beginning.length >= limit
      ? beginning
      : [...beginning, ...(await idsContaining(databases, pattern, limit, new Set(beginning)))];
  return usersById(databases, ids);
}

async function idsBeginning(databases: Databases, pattern: string, limit: number): Promise<number[]> {
  const rows = await databases.directory.query<{ user_id: number }>(
    // Index: the primary key of usernames.
    'SELECT user_id FROM usernames WHERE username LIKE ? ORDER BY username LIMIT ?',
    [pattern, limit],
  );
  return [...new Set(rows.map(({ user_id }) => user_id))];
}

/**
 * Finds further users until they and the known ones are `limit` together. A name that contains the text several times
 * has several rows in the range, so one page of rows may not suffice. No name has more than 49 rows, so five pages
 * suffice, because each page is twice as large as the one before.
 */
async function idsContaining(
  databases: Databases,
  pattern: string,
  limit: number,
  known: ReadonlySet<number>,
): Promise<number[]> {
  const met = new Set(known);
  let last: SuffixRow | undefined = { suffix: '', user_id: 0 };
  for (let size = 2 * limit; last && met.size < limit; size *= 2) {
    const rows: SuffixRow[] = await suffixesAfter(databases, pattern, last, size);
    for (const { user_id } of rows) met.add(user_id);
    last = rows.length < size ? undefined : rows.at(-1);
  }
  return [...met].slice(known.size, limit);
}

const suffixesAfter = (
  databases: Databases,
  pattern: string,
  { suffix, user_id }: SuffixRow,
  limit: number,
): Promise<SuffixRow[]> =>
  databases.directory.query<SuffixRow>(
    // Index: the primary key.
    `SELECT suffix, user_id FROM username_suffixes
     WHERE suffix LIKE ? AND (suffix > ? OR (suffix = ? AND user_id > ?)) ORDER BY suffix, user_id LIMIT ?`,
    [pattern, suffix, suffix, user_id, limit],
  );

/** Reads users in the order of the ids, without accounts that were erased meanwhile. */
async function usersById(databases: Databases, ids: readonly number[]): Promise<UserRow[]> {
  if (ids.length === 0) return [];
  const rows = await databases.users.query<UserRow>(
    `SELECT ${userColumns} FROM users WHERE id IN (?) AND status = ${accountStatus.active}`,
    [ids],
  );
  const found = new Map(rows.map((row) => [row.id, row]));
  return ids.map((id) => found.get(id)).filter((row) => row !== undefined);
}
