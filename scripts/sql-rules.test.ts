import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';

const root = resolve(import.meta.dirname, '..');
const places = ['{lib,services,activities,workflows,bench,scripts}/**/*.ts', 'prisma/migrations/**/*.sql'];

/**
 * SQL that MariaDB, MySQL and Vitess (a sharding proxy in front of them) do not all support, or treat differently.
 * This code base writes SQL keywords in capitals, by which the patterns recognise them.
 */
const rules: Record<string, (text: string) => boolean> = {
  'no JSON_TABLE: MySQL refuses it beside FOR UPDATE; `rowsTable` makes a table of values': (text) =>
    /\bJSON_TABLE\b/.test(text),
  'VALUES makes no table: each writes it in its own way, Vitess in none; `rowsTable` does': (text) =>
    /\b(FROM|JOIN|UPDATE|AS)\s*\(\s*VALUES\b/.test(text) || /\bVALUES\s+ROW\b/.test(text),
  'no SKIP LOCKED: NOWAIT, and `isLocked` says that somebody else has the lock': (text) =>
    /\bSKIP\s+LOCKED\b/.test(text),
  'a subquery stands only where a table does, and looks at no row outside of itself': (text) =>
    [...text.matchAll(/\(\s*SELECT\b/g)].some(({ index }) => !standsForTable(text.slice(0, index))) ||
    /\bLATERAL\b/.test(text),
  'nothing is called now, which is a function': (text) => /(\bAS|[)}])\s+`?now\b(?!\s*\()/.test(text),
  'no statement DO: SELECT': (text) => /(^|[;'"`]|\n)\s*DO\s+[\w(]/.test(text),
};

/** True after FROM, JOIN, UPDATE, in a WITH or a UNION, or at the start of a template. */
const standsForTable = (before: string): boolean => /(\b(FROM|JOIN|UPDATE|AS|ALL|UNION)\s*|`)$/.test(before);

const broken = (text: string): string[] =>
  Object.entries(rules).flatMap(([rule, breaks]) => (breaks(text) ? rule : []));

test('the sources contain no SQL that one of the servers does not support', () => {
  const files = globSync(places, { cwd: root }).filter((file) => !file.endsWith('.test.ts'));
  assert.ok(files.length > 200, `${files.length} files`);
  const found = files.flatMap((file) =>
    file === 'scripts/sql-rules.test.ts'
      ? []
      : broken(readFileSync(resolve(root, file), 'utf8')).map((rule) => `${file}: ${rule}`),
  );
  assert.deepEqual(found, []);
});

test('every rule reports the violation made for it, and nothing else', () => {
  const wrong = [
    "SELECT k.a FROM JSON_TABLE('[1]', '$[*]' COLUMNS (a INT PATH '$')) k",
    'SELECT k.a FROM (VALUES (1), (2)) k (a)',
    'WITH k (a) AS (VALUES (1)) SELECT k.a FROM k',
    'SELECT id FROM jobs LIMIT 1 FOR UPDATE SKIP LOCKED',
    'SELECT a.id, (SELECT COUNT(*) FROM b WHERE b.id = a.id) AS n FROM a',
    'SELECT a.id FROM a WHERE NOT EXISTS (\n  SELECT 1 FROM b WHERE b.id = a.id)',
    'SELECT a.id FROM a JOIN LATERAL (SELECT 1 FROM b WHERE b.id = a.id) c',
    'SELECT UNIX_TIMESTAMP(NOW(3)) AS now FROM a',
    'UPDATE a SET b = 1;\nDO 0',
  ];
  assert.deepEqual(
    wrong.map((sql) => broken(sql).length),
    wrong.map(() => 1),
  );
  const right = [
    'WITH mine AS (SELECT id FROM a) SELECT id FROM mine JOIN (SELECT 1 AS id UNION ALL SELECT 2) k ON k.id = mine.id',
    '(SELECT id FROM a WHERE id > 1 LIMIT 5) UNION ALL (SELECT id FROM a WHERE id < 1 LIMIT 5)',
    'UPDATE (SELECT 1 AS id) k STRAIGHT_JOIN a ON a.id = k.id SET a.seen = UNIX_TIMESTAMP(NOW(3))',
    'SELECT id FROM a WHERE id = 1 FOR UPDATE NOWAIT',
    'INSERT INTO a (id) VALUES (1) ON DUPLICATE KEY UPDATE id = VALUES(id)',
  ].map((sql) => `\`${sql}\``);
  assert.deepEqual(right.flatMap(broken), []);
});
