import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { identify } from '../../scripts/process/process-identity.ts';
import { writeRunFile } from '../../scripts/process/run-file.ts';
import { proportionalBytes, secondsSinceStart } from './usage.ts';

test('the memory and the age of a system are those of the processes in its run.json', async (t) => {
  const home = mkdtempSync(join(tmpdir(), 'gochat-usage-'));
  t.after(() => rmSync(home, { recursive: true }));
  const megabytes = 64;
  const child = spawn(
    process.execPath,
    [
      '-e',
      `globalThis.held = Buffer.alloc(${megabytes << 20}, 1); console.log('held'); setInterval(() => {}, 1e6)`,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  const identity = await identify(child.pid ?? 0);
  assert.ok(identity);
  writeRunFile(home, { one: { ...identity, restarts: 0 } });

  const [one, ...others] = proportionalBytes(home);
  assert.equal(others.length, 0);
  assert.equal(one?.name, 'one');
  const held = (one?.bytes ?? 0) >> 20;
  assert.ok(held >= megabytes && held < megabytes + 100, `${held} MiB`);
  const age = secondsSinceStart(home);
  assert.ok(age >= 0 && age < 60, `${age} s`);
});
