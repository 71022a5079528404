import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import { testProfile, userProfile } from '../topology/topology.ts';
import { accountStatements } from './database-server.ts';
import { composeArguments } from './docker.ts';

const profiles = { user: userProfile({}), test: testProfile({}) };
const filesOf = (profile: keyof typeof profiles) =>
  composeArguments(profiles[profile], ['up']).filter((argument) => argument.endsWith('.yml'));

test('only where tests run has the account rights on other databases than its own', () => {
  const kept = (profile: keyof typeof profiles) =>
    accountStatements(profiles[profile], 'secret')
      .split('\n')
      .filter((line) => line.includes('gochat\\_%'))
      .map((line) => line.split(' ')[0]);
  assert.deepEqual(kept('test'), ['GRANT']);
  // The second statement revokes a right that earlier versions granted.
  assert.deepEqual(kept('user'), ['GRANT', 'REVOKE']);
});

test('with Docker too: the file that grants them is added for tests, and a file of it that is there', () => {
  assert.equal(filesOf('user').length, 1);
  assert.doesNotMatch(readFileSync(filesOf('user')[0] ?? '', 'utf8'), /docker-entrypoint-initdb/);
  const [, added = ''] = filesOf('test');
  const [volume = ''] = parse(readFileSync(added, 'utf8')).services.mysql.volumes as string[];
  const [sql = ''] = volume.split(':');
  assert.match(readFileSync(sql, 'utf8'), /^GRANT ALL ON `gochat\\_%`/m);
});
