import type { Database, Sql } from './database.ts';
import { formatSql, type SqlValue } from './sql.ts';
import { groupsIn, type TableGroup } from './table-groups.ts';

/**
 * For tests: wraps a database so that a call or a transaction that touches the tables of two groups fails, as it would
 * if the groups had separate databases, and a statement about a conversation that the database does not hold.
 * Statements of callers outside im-repo, such as the tests themselves, are not checked.
 */
export function guardGroups(
  database: Database,
  holds: (conversationId: number) => boolean = () => true,
): Database {
  function check(file: string | undefined, groups: ReadonlySet<TableGroup>, statements: string): void {
    if (file === undefined) return;
    if (groups.size > 1) {
      throw new Error(
        `${file} touches tables of ${[...groups].sort().join(' and ')} at once, which may lie in different databases`,
      );
    }
    if (!groups.has('conversations')) return;
    const stranger = conversationsIn(statements).find((id) => !holds(id));
    if (stranger !== undefined) {
      throw new Error(`${file} asks a database for conversation ${stranger}, which another one holds`);
    }
  }

  type Note = (statements: string, values?: readonly SqlValue[]) => void;
  const guarded = (sql: Sql, note: Note): Sql => ({
    query: (statement, values) => {
      note(statement, values);
      return sql.query(statement, values);
    },
    execute: (statement, values) => {
      note(statement, values);
      return sql.execute(statement, values);
    },
    batch: (statements) => {
      note(statements);
      return sql.batch(statements);
    },
  });

  const alone = (statements: string, values?: readonly SqlValue[]) => {
    const text = formatSql(statements, values);
    check(callingFile(), groupsIn(text), text);
  };
  return {
    ...guarded(database, alone),
    transaction(work) {
      const file = callingFile();
      return database.transaction((tx) => {
        const touched = new Set<TableGroup>();
        const note = (statements: string, values?: readonly SqlValue[]) => {
          const text = formatSql(statements, values);
          for (const group of groupsIn(text)) touched.add(group);
          check(file, touched, text);
        };
        return work({
          ...guarded(tx, note),
          batchAndCommit(statements, afterCommit) {
            note(statements);
            return tx.batchAndCommit(statements, afterCommit);
          },
        });
      });
    },
  };
}

/** The conversations that statements name as conditions, as far as one can tell from their text. */
function conversationsIn(statements: string): number[] {
  const conditions = /\bconversation_id(?: = (\d+)\b| IN \(([\d, ]+)\))/g;
  return [...statements.matchAll(conditions)].flatMap(([, one, list]) =>
    (one ?? list ?? '').split(',').map(Number),
  );
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
