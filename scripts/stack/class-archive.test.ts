import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createClassArchive } from './class-archive.ts';

test('the first run writes an archive of classes, and every later one uses it', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'gochat-classes-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const first = createClassArchive('kafka', folder);
  const [option = ''] = first.options();
  const [, draft = ''] = /^-XX:ArchiveClassesAtExit=(.+)$/.exec(option) ?? [];
  first.keep();
  assert.deepEqual(first.options(), [option], 'a JVM that was killed has written none');

  writeFileSync(draft, 'classes');
  assert.deepEqual(createClassArchive('kafka', folder).options(), [option], 'while it may be incomplete');
  first.keep();
  assert.deepEqual(first.options(), [`-XX:SharedArchiveFile=${join(folder, 'kafka.jsa')}`]);
  assert.deepEqual(readdirSync(folder), ['kafka.jsa']);
});
