import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { mysqlPrograms } from './mysql.ts';

test('where MySQL can’t be had, one sentence says so and names the log', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'gochat-mysql-'));
  const before = process.env.XDG_CACHE_HOME;
  t.after(() => {
    if (before === undefined) delete process.env.XDG_CACHE_HOME;
    else process.env.XDG_CACHE_HOME = before;
    rmSync(folder, { recursive: true });
  });
  // A file as cache folder makes every download fail.
  process.env.XDG_CACHE_HOME = join(folder, 'file');
  writeFileSync(process.env.XDG_CACHE_HOME, '');
  const progress = { say: () => undefined, step: <T>(_: string, work: () => Promise<T>) => work() };
  await assert.rejects(mysqlPrograms(progress, '/logs/x.log'), {
    name: 'Problem',
    message: /^MySQL cannot be had here: [^\n]+ \(see \/logs\/x\.log\)\.$/,
  });
});
