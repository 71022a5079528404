import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { claim } from './lock.ts';

test('a folder has one holder at a time', async () => {
  const home = `/nowhere/${process.pid}`;
  const lock = await claim(home);
  assert.ok(lock);
  assert.equal(await claim(home), undefined);
  await lock.release();
  const again = await claim(home);
  assert.ok(again);
  await again.release();
});

test('a holder that was killed holds nothing', async () => {
  const home = `/nowhere/killed/${process.pid}`;
  const script = `const { claim } = await import(${JSON.stringify(import.meta.resolve('./lock.ts'))});
    await claim(${JSON.stringify(home)}); console.log('held');`;
  const holder = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(holder, 'exit');
  await once(holder.stdout, 'data');
  assert.equal(await claim(home), undefined);
  holder.kill('SIGKILL');
  await exited;
  const lock = await claim(home);
  assert.ok(lock);
  await lock.release();
});
