import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Database, Transaction } from './database.ts';
import { guardGroups } from './group-guard.ts';
import { groupsIn } from './table-groups.ts';

const sql: Transaction = {
  query: async () => [],
  execute: async () => ({ affectedRows: 0, insertId: 0, changedRows: 0 }),
  batch: async () => [],
  batchAndCommit: async () => [],
};
const database: Database = { ...sql, transaction: (work) => work(sql) };
const crosses = /storage\/group-guard.test.ts touches tables of accounts and conversations at once/;

/** Runs two statements in one transaction. */
const both = (guarded: Database, first: string, second: string) =>
  guarded.transaction(async (tx) => {
    await tx.batch(first);
    await tx.batchAndCommit(second);
  });

test('a statement touches the groups of the tables that it reads and writes, not of those that its texts name', () => {
  const groups = (text: string) => [...groupsIn(text)].sort();
  assert.deepEqual(groups("INSERT INTO outbox (payload) VALUES ('it''s FROM users; UPDATE messages')"), []);
  assert.deepEqual(groups('SELECT 1 FROM users u LEFT JOIN messages m ON TRUE'), [
    'accounts',
    'conversations',
  ]);
  assert.deepEqual(groups('DELETE FROM username_suffixes; REPLACE INTO user_settings SELECT 1'), [
    'accounts',
    'directory',
  ]);
});

test('a statement about a conversation that the database does not hold fails', async () => {
  const guarded = guardGroups(database, (id) => id !== 7);
  const fails = /storage\/group-guard.test.ts asks a database for conversation 7, which another one holds/;
  await assert.rejects(
    async () => guarded.query('SELECT 1 FROM messages WHERE conversation_id = ?', [7]),
    fails,
  );
  await assert.rejects(
    both(
      guarded,
      'SELECT 1 FROM messages',
      'SELECT 1 FROM conversation_heads WHERE conversation_id IN (8,7)',
    ),
    fails,
  );
  await guarded.query('SELECT 1 FROM messages WHERE conversation_id IN (70,8) AND seq_id = 7');
  await guarded.query('SELECT 1 FROM pairs WHERE conversation_id = 7');
});

test('a statement, a call or a transaction that touches two groups fails', async () => {
  const guarded = guardGroups(database);
  await assert.rejects(async () => guarded.query('SELECT 1 FROM users JOIN messages'), crosses);
  await assert.rejects(async () => guarded.batch('SELECT 1 FROM users; SELECT 1 FROM messages'), crosses);
  await assert.rejects(both(guarded, 'SELECT 1 FROM users', 'SELECT 1 FROM messages'), crosses);
  await both(guarded, 'SELECT 1 FROM users', 'INSERT INTO outbox SELECT 1; SELECT 1 FROM sessions');
  await guarded.query('SELECT 1 FROM users');
  await guarded.query('SELECT 1 FROM messages');
});
