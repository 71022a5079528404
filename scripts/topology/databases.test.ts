import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readDatabaseAddresses } from '../../services/repo/storage/databases-file.ts';
import { keepLayout, layoutOf, severalDatabases, writeDatabasesFile } from './databases.ts';
import { assertOwnHome, makeHome } from './home.ts';

const url = 'mysql://gochat:secret@127.0.0.1:3306/gochat';

test('the file of a layout is one that im-repo takes, and nobody else can read it', (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'gochat-layout-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const named = (['split', 'sharded'] as const).map((layout) => {
    const path = writeDatabasesFile(join(folder, layout), layout, url);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    const addresses = readDatabaseAddresses({ DATABASE_URL: '', DATABASES_FILE: path });
    return addresses.conversations.map(({ name }) => name);
  });
  assert.deepEqual(named, [['c1'], ['c1', 'c2']]);
  const file = readFileSync(join(folder, 'sharded'), 'utf8');
  assert.ok(severalDatabases.every((database) => file.includes(`/${database}"`)));
});

test('a data folder keeps its layout', (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'gochat-layout-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const fresh = join(folder, 'fresh');
  keepLayout(fresh, 'split');
  keepLayout(fresh, 'split');
  assertOwnHome(fresh);
  assert.throws(() => keepLayout(fresh, 'one'), /has the layout "split": start with --databases split/);
  // A folder from before layouts has one database.
  makeHome(folder);
  writeFileSync(join(folder, 'run.json'), '{}');
  assert.throws(() => keepLayout(folder, 'sharded'), /has the layout "one"/);
  keepLayout(folder, 'one');
});

test('a folder of somebody else is no data folder, and stays as it is', (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'gochat-layout-'));
  context.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'thesis.txt'), 'Chapter 1');
  assert.throws(() => keepLayout(folder, 'one'), /holds things that are not GoChat's \(thesis\.txt\)/);
  assert.deepEqual(readdirSync(folder), ['thesis.txt']);
});

test('a layout that does not exist is refused', () => {
  assert.throws(() => layoutOf('two'), /--databases takes one or split or sharded, not "two"\./);
});
