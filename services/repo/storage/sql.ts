import { escape as escapeValue, format } from 'mysql2/promise';

/** The value of a `?`: a single value, a list of values for `IN (?)`, or a list of rows for `VALUES ?`. */
export type SqlValue = string | number | bigint | boolean | null | Buffer | readonly SqlValue[];

/** The parameter type of mysql2. It accepts the same values, but its type asks for mutable arrays. */
type Escapable = Parameters<typeof escapeValue>[0];

/**
 * The most ids in one `IN (…)` list. MariaDB turns lists of 1,000 or more into subqueries, which read and lock rows in
 * another order.
 */
export const idsPerList = 500;

/** Escapes a value as SQL text, for statements that are assembled by hand. */
export const literal = (value: SqlValue): string => escapeValue(checked(value), true);

/** Replaces each `?` with a value. Without values the text is returned as it is, without a search for `?`. */
export const formatSql = (sql: string, values?: readonly SqlValue[]): string =>
  values === undefined ? sql : format(sql, values.map(checked), true);

/**
 * Rejects values that would become wrong SQL: an empty list would become `IN ()`, and NaN would become a column name.
 */
function checked(value: SqlValue): Escapable {
  if (Array.isArray(value)) {
    if (value.length === 0) throw new Error('an empty list has no SQL form');
    value.forEach(checked);
  }
  if (typeof value === 'number' && !Number.isFinite(value)) throw new Error(`${value} has no SQL form`);
  return value as Escapable;
}

/**
 * Writes rows as a derived table to join with, at most `rowsPerTable` per statement. It uses SELECT … UNION ALL because
 * MySQL and MariaDB write VALUES differently, Vitess can't plan VALUES, and MariaDB looks up a long list of row
 * constructors at a fifth of the speed. A join that begins with this table visits its rows, and takes locks, in the
 * given order.
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

/** The server parses and plans each row as a query of its own: 1,000 rows take 10 ms. */
export const rowsPerTable = 1000;

/** Escapes text for a LIKE pattern, so that it matches only itself. */
export const likeLiteral = (text: string): string => text.replace(/[\\%_]/g, '\\$&');

/**
 * True if a statement failed because a row with the same unique or primary key exists. `key` is the name of the key.
 */
export function isDuplicateKey(error: unknown, key?: string): boolean {
  const { errno, message } = (error ?? {}) as { errno?: number; message?: string };
  if (errno !== 1062) return false;
  // MariaDB names only the key. MySQL puts the table name before it.
  return key === undefined || new RegExp(`for key '(\\w+\\.)?${key}'`).test(message ?? '');
}

/** Reads a BOOLEAN column, which the driver returns as 0 or 1. NULL is false. */
export const isTrue = (column: number | null | undefined): boolean => column === 1;
