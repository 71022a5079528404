import assert from 'node:assert/strict';
import { test } from 'node:test';
import { splitStatements } from './sql-statements.ts';

test('a semicolon inside a string, a name or a comment ends nothing', () => {
  const text = `
    -- one; two
    INSERT INTO a VALUES ('x;y', "it''s;", 'don\\'t;'); # three;
    /* four; 'five */ CREATE TABLE \`b;c\` (d INT);
    SELECT 1--2;
  `;
  assert.deepEqual(splitStatements(text), [
    `INSERT INTO a VALUES ('x;y', "it''s;", 'don\\'t;')`,
    'CREATE TABLE `b;c` (d INT)',
    'SELECT 1--2',
  ]);
});

test('a comment that holds code stays', () => {
  assert.deepEqual(splitStatements('SET a = 1 /*!80000 , b = 2 */;'), ['SET a = 1 /*!80000 , b = 2 */']);
});

test('a comment in the middle keeps the words around it apart', () => {
  assert.deepEqual(splitStatements('SELECT/* x */1;\n;\n-- the end'), ['SELECT 1']);
});
