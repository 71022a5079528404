import type { Database, Sql } from './database.ts';
import { groupsIn, type TableGroup } from './table-groups.ts';

/** A source file of im-repo, relative to its folder, and the groups that one of its transactions or calls touches. */
export type Crossing = { file: string; groups: readonly TableGroup[] };

/**
 * For tests: wraps a database so that a call or a transaction that touches the tables of two groups fails, as it would
 * if the groups had separate databases. `allowed` has those that are known to cross; each use of them is passed to
 * `onCrossing`. Statements of callers outside im-repo, such as the tests themselves, are not checked.
 */
export function guardGroups(
  database: Database,
  allowed: readonly Crossing[],
  onCrossing: (crossing: Crossing) => void = () => undefined,
): Database {
  function check(file: string | undefined, groups: ReadonlySet<TableGroup>): void {
    if (file === undefined || groups.size < 2) return;
    const sorted = [...groups].sort();
    const known = allowed.find((one) => one.file === file);
    if (!known || sorted.some((group) => !known.groups.includes(group))) {
      throw new Error(
        `${file} touches tables of ${sorted.join(' and ')} at once, which may lie in different databases`,
      );
    }
    onCrossing({ file, groups: sorted });
  }

  const guarded = (sql: Sql, note: (statements: string) => void): Sql => ({
    query: (statement, values) => {
      note(statement);
      return sql.query(statement, values);
    },
    execute: (statement, values) => {
      note(statement);
      return sql.execute(statement, values);
    },
    batch: (statements) => {
      note(statements);
      return sql.batch(statements);
    },
  });

  const alone = (statements: string) => check(callingFile(), groupsIn(statements));
  return {
    ...guarded(database, alone),
    transaction(work) {
      const file = callingFile();
      return database.transaction((tx) => {
        const touched = new Set<TableGroup>();
        const note = (statements: string) => {
          for (const group of groupsIn(statements)) touched.add(group);
          check(file, touched);
        };
        return work({
          ...guarded(tx, note),
          batchAndCommit(statements) {
            note(statements);
            return tx.batchAndCommit(statements);
          },
        });
      });
    },
  };
}

/** The source file of im-repo from which the call comes; undefined if it comes from elsewhere. */
function callingFile(): string | undefined {
  const frames = new Error().stack?.split('\n') ?? [];
  for (const frame of frames) {
    const file = /\/services\/repo\/([\w/.-]+\.ts)/.exec(frame)?.[1];
    if (file !== undefined && file !== 'storage/group-guard.ts') return file;
  }
  return undefined;
}
