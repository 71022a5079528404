import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBackoff, retry } from './retry.ts';

const soon = { firstMs: 1, longestMs: 2 };
const failing = (message: string) => () => Promise.reject(new Error(message));

/** An attempt that fails `failures` times, then answers the number of calls. */
function flaky(failures: number) {
  let tried = 0;
  return async () => {
    tried += 1;
    if (tried <= failures) throw new Error(`failure ${tried}`);
    return tried;
  };
}

test('each pause is random between a length and its double, and the length doubles up to half of the longest pause', () => {
  const draws = Array.from({ length: 200 }, () => {
    const nextPauseMs = createBackoff({ firstMs: 100, longestMs: 500 });
    return Array.from({ length: 5 }, nextPauseMs);
  });
  for (const [index, ms] of [100, 200, 250, 250, 250].entries()) {
    const drawn = draws.map((pauses) => pauses[index] ?? Number.NaN);
    assert.ok(Math.min(...drawn) >= ms && Math.max(...drawn) <= 2 * ms, `pause ${index}: ${drawn}`);
    assert.ok(new Set(drawn).size > 10, `pause ${index} is always about the same`);
  }
});

test('failed work is retried until it succeeds, and each pause is reported with its error', async () => {
  const told: [string, boolean][] = [];
  const onPause = (error: unknown, pauseMs: number) => {
    told.push([(error as Error).message, pauseMs <= 2]);
  };
  assert.equal(await retry(flaky(2), { ...soon, onPause }), 3);
  assert.deepEqual(told, [
    ['failure 1', true],
    ['failure 2', true],
  ]);
});

test('an error that is not transient ends the retries', async () => {
  const isTransient = (error: unknown) => (error as Error).message === 'failure 1';
  await assert.rejects(retry(flaky(9), { ...soon, isTransient }), /failure 2/);
});

test('the last error is thrown when the attempts are used up', async () => {
  await assert.rejects(retry(flaky(9), { ...soon, tries: 3 }), /failure 3/);
});

test('no attempt begins after the time is used up', async () => {
  await assert.rejects(retry(flaky(99), { firstMs: 1, longestMs: 60_000, withinMs: 50 }), (error: Error) =>
    /failure \d/.test(error.message),
  );
});

test('a signal ends a pause and the retries at once', { timeout: 5000 }, async () => {
  const stopping = new AbortController();
  const running = retry(failing('away'), {
    firstMs: 60_000,
    longestMs: 60_000,
    signal: stopping.signal,
    onPause: () => setImmediate(() => stopping.abort()),
  });
  await assert.rejects(running, { name: 'AbortError' });
});

test('an attempt that fails because of the signal rejects with the signal’s reason', async () => {
  const stopping = new AbortController();
  const attempt = async () => {
    stopping.abort(new Error('the process ends'));
    throw new Error('the connection was closed');
  };
  await assert.rejects(retry(attempt, { ...soon, signal: stopping.signal }), /the process ends/);
});
