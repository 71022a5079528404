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
    sentence: 'Too many.',
    now: () => now,
    ...options,
  });
  const attempt = (key: string, outcome: 'right' | 'wrong' | 'broken') =>
    limit.attempt(key, async () => {
      begun += 1;
      await new Promise(setImmediate);
      if (outcome === 'wrong') throw new Wrong();
      if (outcome === 'broken') throw new Error('broken');
      return outcome;
    });
  return {
    attempt,
    /** How it ended: right, wrong, broken or refused. */
    end: (key: string, outcome: 'right' | 'wrong' | 'broken') =>
      attempt(key, outcome).catch((error: unknown) =>
        error instanceof RateLimitedError ? 'refused' : error instanceof Wrong ? 'wrong' : 'broken',
      ),
    begun: () => begun,
    pass: (ms: number) => {
      now += ms;
    },
  };
}

test('after so many failures the right one is refused too, without being tried, until the window ends', async () => {
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

test('of guesses sent at once no more are tried than may fail', async () => {
  const { end, begun } = limited();
  const ends = await Promise.all(Array.from({ length: 40 }, () => end('a', 'wrong')));
  assert.deepEqual([ends.filter((it) => it === 'wrong').length, begun()], [3, 3]);
});

test('whoever is right at many places at once is let in everywhere', async () => {
  const { end } = limited();
  const ends = await Promise.all(Array.from({ length: 40 }, () => end('a', 'right')));
  assert.deepEqual(new Set(ends), new Set(['right']));
});

test('a success forgives what failed before it only where it may, and what broke counts neither way', async () => {
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
