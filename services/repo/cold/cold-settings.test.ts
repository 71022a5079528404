import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadConfig } from '../../../lib/config.ts';
import { atEnd } from '../../../test/support/at-end.ts';
import { repoConfig } from '../config.ts';
import { readColdSettings } from './cold-settings.ts';

const folder = mkdtempSync(join(tmpdir(), 'gochat-settings-'));
atEnd(() => rm(folder, { recursive: true, force: true }));

function settingsOf(env: Record<string, string>, file?: string) {
  const path = join(folder, 'databases.yaml');
  if (file !== undefined) writeFileSync(path, file);
  return readColdSettings(
    loadConfig(repoConfig, { ...env, ...(file === undefined ? {} : { DATABASES_FILE: path }) }),
  );
}

test('without a store nothing is archived, and the numbers have defaults', () => {
  assert.deepEqual(settingsOf({}), { url: '', afterDays: 180, keepNewest: 200, graceHours: 24 });
  assert.deepEqual(
    settingsOf({
      COLD_URL: 'file:///cold',
      COLD_AFTER_DAYS: '0.5',
      COLD_KEEP_NEWEST: '0',
      COLD_GRACE_HOURS: '0',
    }),
    { url: 'file:///cold', afterDays: 0.5, keepNewest: 0, graceHours: 0 },
  );
});

test('the file of databases names the store, too', () => {
  assert.deepEqual(settingsOf({}, 'cold: { url: "s3://bucket?region=x", afterDays: 90, graceHours: 0.5 }'), {
    url: 's3://bucket?region=x',
    afterDays: 90,
    keepNewest: 200,
    graceHours: 0.5,
  });
  assert.equal(settingsOf({ COLD_URL: 'file:///cold' }, 'directory: {}').url, 'file:///cold');
});

test('each mistake is named in a sentence', () => {
  const wrong: [string, RegExp][] = [
    ['cold: yes', /cold must have named entries/],
    ['cold: { afterDays: 90 }', /cold needs a url/],
    ['cold: { url: "file:///cold", days: 90 }', /cold has an unknown entry "days"/],
    ['cold: { url: "file:///cold", keepNewest: -1 }', /keepNewest must be a number that is not negative/],
    ['cold: { url: "file:///cold", graceHours: "1h" }', /graceHours must be a number that is not negative/],
  ];
  for (const [file, sentence] of wrong) assert.throws(() => settingsOf({}, file), sentence);
  assert.throws(
    () => settingsOf({ COLD_URL: 'file:///cold' }, 'cold: { url: "file:///cold" }'),
    /both name a store/,
  );
});
