import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { eventually } from '../../test/support/eventually.ts';
import { identify } from './process-identity.ts';
import { endLeftovers, readRunFile, writeRunFile } from './run-file.ts';
import { createSupervisor, type ProcessSpec } from './supervisor.ts';

let home: string;
let said: string[];

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'gochat-supervisor-'));
  said = [];
});
afterEach(() => rmSync(home, { recursive: true }));

/** A process that is ready after it has written a file. */
function spec(script: string, change: Partial<ProcessSpec> = {}): ProcessSpec {
  const sign = join(home, 'up');
  return {
    name: 'thing',
    command: process.execPath,
    args: [
      '-e',
      `${script}; require('fs').writeFileSync(${JSON.stringify(sign)}, ''); setInterval(() => {}, 1000)`,
    ],
    env: process.env,
    isReady: async () => existsSync(sign),
    readyWithinMs: 10_000,
    stopWithinMs: 5_000,
    startAttempts: 1,
    ...change,
  };
}

test('a killed process is restarted, and run.json has its new pid', async () => {
  const supervisor = createSupervisor(home, (line) => said.push(line));
  await supervisor.start(spec(''));
  const first = readRunFile(home).thing;
  assert.equal(first?.restarts, 0);
  process.kill(first?.pid ?? 0, 'SIGKILL');
  await eventually(() => readRunFile(home).thing?.restarts === 1);
  assert.notEqual(readRunFile(home).thing?.pid, first?.pid);
  assert.match(said.join(), /thing died \(SIGKILL\); starting it again in 250 ms/);
  await supervisor.stop('thing');
  assert.equal(readRunFile(home).thing, undefined);
});

test('the error of a process that cannot start has the end of its log', async () => {
  const supervisor = createSupervisor(home, (line) => said.push(line));
  const failing = spec("console.error('no such table'); process.exit(2)");
  await assert.rejects(supervisor.start(failing), (error: Error & { details?: string }) => {
    assert.match(error.message, /thing could not start \(exit code 2\)/);
    assert.equal(error.details, 'no such table');
    return true;
  });
});

test('a process that does not stop in time is killed', async () => {
  const supervisor = createSupervisor(home, (line) => said.push(line));
  await supervisor.start(spec("process.on('SIGTERM', () => {})", { stopWithinMs: 200 }));
  const pid = readRunFile(home).thing?.pid ?? 0;
  await supervisor.stop('thing');
  assert.equal(await identify(pid), undefined);
});

test('nothing is started any more once the stop has begun', async () => {
  const supervisor = createSupervisor(home, (line) => said.push(line));
  supervisor.refuseStarts();
  await supervisor.start(spec(''));
  assert.deepEqual(readRunFile(home), {});
});

test('the next start ends processes that a killed start left behind, and no other process with the same pid', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  const exited = once(child, 'exit');
  const leftover = await identify(child.pid ?? 0);
  assert.ok(leftover);
  // Simulates that this process has the pid of a service that died long ago.
  const stranger = { pid: process.pid, startedAt: 'long ago', restarts: 0 };
  writeRunFile(home, { supervisor: stranger, logic: stranger, thing: { ...leftover, restarts: 0 } });
  await endLeftovers(home);
  assert.deepEqual(await exited, [null, 'SIGTERM']);
  assert.deepEqual(readRunFile(home), {});
});

test('the output of a process goes to its log', async () => {
  const supervisor = createSupervisor(home, (line) => said.push(line));
  await supervisor.start(spec("console.log('hello')"));
  await supervisor.stop('thing');
  assert.equal(readFileSync(supervisor.logFile('thing'), 'utf8'), 'hello\n');
});
