import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { identify, isAlive, terminate } from './process-identity.ts';

function sleeper(script: string) {
  const child = spawn(process.execPath, ['-e', `${script}; setInterval(() => {}, 1000); console.log('up')`], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return { child, up: once(child.stdout, 'data'), exited: once(child, 'exit') };
}

test('another process with the same pid is not terminated', async () => {
  const { child, up, exited } = sleeper('');
  await up;
  const known = await identify(child.pid ?? 0);
  assert.ok(known);
  assert.equal(await isAlive(known), true);
  const earlier = { ...known, startedAt: 'some time before' };
  assert.equal(await isAlive(earlier), false);
  await terminate(earlier, 0);
  assert.equal(child.exitCode ?? child.signalCode, null);

  await terminate(known, 5_000);
  assert.deepEqual(await exited, [null, 'SIGTERM']);
  assert.equal(await isAlive(known), false);
});

test('a process that ignores SIGTERM is killed once its time is over', async () => {
  const { child, up, exited } = sleeper("process.on('SIGTERM', () => {})");
  await up;
  const known = await identify(child.pid ?? 0);
  assert.ok(known);
  await terminate(known, 200);
  assert.deepEqual(await exited, [null, 'SIGKILL']);
});
