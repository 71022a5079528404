import { escape as escapeValue, format } from 'mysql2/promise';

/** What may stand for a `?`: a value, a list of values for `IN (?)`, or a list of rows for `VALUES ?`. */
export type SqlValue = string | number | bigint | boolean | null | Buffer | readonly SqlValue[];

/** What mysql2 takes: the same, though it asks for arrays it promises not to change. */
type Escapable = Parameters<typeof escapeValue>[0];

/**
 * Ids in one `IN (…)` list: MariaDB turns lists of 1,000 or more into subqueries, which read, and lock, in another order.
 */
export const idsPerList = 500;

/** A value as SQL text, for statements that are put together by hand. */
export const literal = (value: SqlValue): string => escapeValue(checked(value), true);

/** Puts values in place of `?`. Without values the text stays as it is, unread. */
export const formatSql = (sql: string, values?: readonly SqlValue[]): string =>
  values === undefined ? sql : format(sql, values.map(checked), true);

/** An empty list would make `IN ()`, and NaN a column name: both are faults here, not of the data. */
function checked(value: SqlValue): Escapable {
  if (Array.isArray(value)) {
    if (value.length === 0) throw new Error('an empty list has no SQL form');
    value.forEach(checked);
  }
  if (typeof value === 'number' && !Number.isFinite(value)) throw new Error(`${value} has no SQL form`);
  return value as Escapable;
}

/**
 * Rows as a table to join with, one for each thing that is looked up; not too many at once (`rowsPerTable`). SELECT …
 * UNION ALL, since MySQL and MariaDB write VALUES differently, Vitess plans it not at all, and MariaDB looks up a long
 * list of row constructors at a fifth of the speed. A join begins with it and goes through it in the order given, which
 * is the order of locks too.
 */
export function rowsTable(
  columns: readonly string[],
  rows: readonly (readonly (number | Buffer)[])[],
): string {
  const selects = rows.map((row, index) => {
    const values = row.map(literal);
    return `SELECT ${index > 0 ? values : values.map((value, at) => `${value} AS ${columns[at]}`)}`;
  });
  return `(${selects.join(' UNION ALL ')})`;
}

/** A server reads and plans each row as a query: a thousand take 10 ms. */
export const rowsPerTable = 1000;

/** Text as it has to stand in a LIKE pattern to mean only itself. */
export const likeLiteral = (text: string): string => text.replace(/[\\%_]/g, '\\$&');

/** Whether a statement failed because a row with that (unique or primary) key exists. */
export function isDuplicateKey(error: unknown, key?: string): boolean {
  const { errno, message } = (error ?? {}) as { errno?: number; message?: string };
  if (errno !== 1062) return false;
  // MariaDB names the key alone, MySQL with its table before it.
  return key === undefined || new RegExp(`for key '(\\w+\\.)?${key}'`).test(message ?? '');
}

/** What a boolean column says: the driver gives its number. Nothing there is false. */
export const isTrue = (column: number | null | undefined): boolean => column === 1;
