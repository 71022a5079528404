import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFailureLimit } from './failure-limit.ts';
import { RateLimitedError } from './rate-limit.ts';

class Wrong extends Error {}

function limited(options: { limit?: number; successForgives?: boolean } = {}) {
  let now = 1_000_000;
  let begun = 0;
  const limit = createFailureLimit({
    limit: 3,
    windowMs: 60_000,
    isFailure: (error) => error instanceof Wrong,
    successForgives: true,
    sentence: 'Too many failed.',
    busySentence: 'Too many at once.',
    now: () => now,
    ...options,
  });
  type Outcome = 'right' | 'wrong' | 'broken';
  const work = (outcome: Outcome) => async () => {
    begun += 1;
    await new Promise(setImmediate);
    if (outcome === 'wrong') throw new Wrong();
    if (outcome === 'broken') throw new Error('broken');
    return outcome;
  };
  const attempt = (key: string, outcome: Outcome) => limit.attempt(key, work(outcome));
  return {
    attempt,
    freely: (key: string, outcome: Outcome) => limit.attemptFreely(key, work(outcome)),
    /** The outcome of the attempt: right, wrong, broken or refused. */
    end: (key: string, outcome: Outcome) =>
      attempt(key, outcome).catch((error: unknown) =>
        error instanceof RateLimitedError ? 'refused' : error instanceof Wrong ? 'wrong' : 'broken',
      ),
    begun: () => begun,
    pass: (ms: number) => {
      now += ms;
    },
  };
}

test('after too many failures a correct attempt is refused, too, without a try, until the window ends', async () => {
  const { attempt, end, begun, pass } = limited();
  for (let i = 0; i < 3; i++) assert.equal(await end('a', 'wrong'), 'wrong');
  pass(20_000);
  await assert.rejects(attempt('a', 'right'), (error) => {
    assert.ok(error instanceof RateLimitedError);
    assert.equal(error.retryAfterSeconds, 40);
    return true;
  });
  assert.equal(begun(), 3);
  assert.equal(await end('b', 'right'), 'right', 'another key is not concerned');
  pass(40_000);
  assert.equal(await end('a', 'right'), 'right');
});

test('of concurrent guesses, no more are tried than may fail', async () => {
  const { end, begun } = limited();
  const ends = await Promise.all(Array.from({ length: 40 }, () => end('a', 'wrong')));
  assert.deepEqual([ends.filter((it) => it === 'wrong').length, begun()], [3, 3]);
});

test('correct attempts at many places at once all succeed', async () => {
  const { end } = limited();
  const ends = await Promise.all(Array.from({ length: 40 }, () => end('a', 'right')));
  assert.deepEqual(new Set(ends), new Set(['right']));
});

test('an attempt beyond the queue limit gets the advice to retry soon, and not the error for failures', async () => {
  const { attempt, end } = limited();
  const line = Array.from({ length: 53 }, () => end('a', 'right'));
  await assert.rejects(attempt('a', 'right'), (error) => {
    assert.ok(error instanceof RateLimitedError);
    assert.deepEqual([error.retryAfterSeconds, error.message], [1, 'Too many at once.']);
    return true;
  });
  assert.deepEqual(new Set(await Promise.all(line)), new Set(['right']));
});

test('attempts from a known address are limited by their failures only, which count with all others', async () => {
  const { attempt, freely, end, begun } = limited({ successForgives: false });
  const reconnecting = Array.from({ length: 200 }, () => freely('a', 'right'));
  const guesses = Array.from({ length: 3 }, () => end('a', 'wrong'));
  assert.deepEqual(new Set(await Promise.all(reconnecting)), new Set(['right']));
  assert.deepEqual(await Promise.all(guesses), ['wrong', 'wrong', 'wrong']);
  const before = begun();
  for (const refused of [freely('a', 'right'), attempt('a', 'right')]) {
    await assert.rejects(refused, RateLimitedError);
  }
  assert.equal(begun(), before);
  for (let i = 0; i < 3; i++) await assert.rejects(freely('b', 'wrong'), Wrong);
  assert.equal(await end('b', 'right'), 'refused');
});

test('a success resets earlier failures only if configured, and other errors do not count', async () => {
  for (const [successForgives, expected] of [
    [true, 'wrong'],
    [false, 'refused'],
  ] as const) {
    const { end } = limited({ successForgives });
    for (const outcome of ['wrong', 'wrong', 'broken', 'broken', 'right', 'wrong'] as const)
      await end('a', outcome);
    assert.equal(await end('a', 'wrong'), expected);
  }
});

test('0 switches it off', async () => {
  const { end } = limited({ limit: 0 });
  for (let i = 0; i < 10; i++) assert.equal(await end('a', 'wrong'), 'wrong');
});
