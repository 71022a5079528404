import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectDatabases, openMigratedDatabase } from '../../../support/repo/database.ts';
import { type PrismaModel, readPrismaModel } from '../../../support/repo/prisma-model.ts';

const [url, model] = await Promise.all([openMigratedDatabase(), readPrismaModel()]);
const databases = connectDatabases(url);

type Field = PrismaModel['models'][number]['fields'][number];

/** A column as text: what Prisma and a server both say about it. */
const describe = (column: {
  type: string;
  nullable: boolean;
  default: string | null;
  autoIncrement: boolean;
}) =>
  [
    column.type,
    column.nullable ? 'null' : 'not null',
    ...(column.default === null ? [] : [`default ${column.default}`]),
    ...(column.autoIncrement ? ['auto_increment'] : []),
  ].join(' ');

function typeOf({ type, nativeType }: Field): string {
  if (nativeType) {
    const [name, args] = nativeType;
    return name.toLowerCase() + (args.length > 0 ? `(${args.join()})` : '');
  }
  return { BigInt: 'bigint', Int: 'int', Boolean: 'tinyint(1)' }[type] ?? `no native type for ${type}`;
}

function describeField(field: Field): string {
  const { default: value } = field;
  const autoIncrement = (value as { name?: string } | undefined)?.name === 'autoincrement';
  return describe({
    type: typeOf(field),
    nullable: !field.isRequired,
    default: value === undefined || autoIncrement ? null : String(Number(value)),
    autoIncrement,
  });
}

async function describeTable(table: string): Promise<Record<string, string>> {
  const columns = await databases.users.query<{
    name: string;
    data_type: string;
    column_type: string;
    length: number | null;
    nullable: string;
    column_default: string | null;
    extra: string;
  }>(
    `SELECT column_name AS name, data_type AS data_type, column_type AS column_type,
       character_maximum_length AS length, is_nullable AS nullable, column_default AS column_default, extra AS extra
     FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = ?`,
    [table],
  );
  return Object.fromEntries(
    columns.map((column) => {
      const sized = ['varchar', 'char', 'binary', 'varbinary'].includes(column.data_type);
      const type =
        column.column_type === 'tinyint(1)'
          ? 'tinyint(1)'
          : column.data_type + (sized ? `(${column.length})` : '');
      const text = describe({
        type,
        nullable: column.nullable === 'YES',
        // MariaDB writes NULL as a word.
        default: column.column_default === 'NULL' ? null : column.column_default,
        autoIncrement: column.extra.toLowerCase().includes('auto_increment'),
      });
      return [column.name, text];
    }),
  );
}

async function describeIndexes(table: string): Promise<Record<string, string>> {
  const rows = await databases.users.query<{ name: string; non_unique: number; column_name: string }>(
    `SELECT index_name AS name, non_unique AS non_unique, column_name AS column_name FROM information_schema.statistics
     WHERE table_schema = DATABASE() AND table_name = ? ORDER BY index_name, seq_in_index`,
    [table],
  );
  return Object.fromEntries(
    [...Map.groupBy(rows, ({ name }) => name)].map(([name, parts]) => {
      const kind = name === 'PRIMARY' ? 'id' : parts[0]?.non_unique === 0 ? 'unique' : 'normal';
      return [name, `${kind} ${parts.map(({ column_name }) => column_name).join()}`];
    }),
  );
}

test('the migrations make the tables of schema.prisma, and no others', async () => {
  const rows = await databases.users.query<{ name: string }>(
    "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name <> 'schema_migrations'",
  );
  assert.deepEqual(
    rows.map(({ name }) => name).sort(),
    model.models.map(({ dbName, name }) => dbName ?? name).sort(),
  );
});

test('every table has the columns of its model', async () => {
  for (const { dbName, fields } of model.models) {
    const expected = Object.fromEntries(
      fields.map((field) => [field.dbName ?? field.name, describeField(field)]),
    );
    assert.deepEqual(await describeTable(dbName ?? ''), expected, dbName ?? '');
  }
});

test('every table has the keys of its model', async () => {
  for (const { name, dbName, fields } of model.models) {
    const columns = new Map(fields.map((field) => [field.name, field.dbName ?? field.name]));
    const expected = Object.fromEntries(
      model.indexes
        .filter((index) => index.model === name)
        .map((index) => [
          index.type === 'id' ? 'PRIMARY' : (index.dbName ?? 'without a name'),
          `${index.type} ${index.fields.map((field) => columns.get(field.name)).join()}`,
        ]),
    );
    assert.deepEqual(await describeIndexes(dbName ?? ''), expected, dbName ?? '');
  }
});
