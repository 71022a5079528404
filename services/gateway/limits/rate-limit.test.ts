import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRateLimit, RateLimitedError } from './rate-limit.ts';

const limited = (limit: number, maxKeys?: number) => {
  const clock = { now: 1_000_000 };
  const rate = createRateLimit({
    limit,
    windowMs: 60_000,
    sentence: 'Too many.',
    now: () => clock.now,
    ...(maxKeys === undefined ? {} : { maxKeys }),
  });
  return { clock, rate };
};

test('a use beyond the limit is refused, with the time to wait', () => {
  const { clock, rate } = limited(2);
  rate.take('ann');
  clock.now += 10_000;
  rate.take('ann');
  assert.throws(
    () => rate.take('ann'),
    (error) => error instanceof RateLimitedError && error.retryAfterSeconds === 50,
  );
  rate.take('bob');
});

test('a new window allows the full limit again', () => {
  const { clock, rate } = limited(1);
  rate.take('ann');
  clock.now += 60_000;
  rate.take('ann');
  assert.throws(() => rate.take('ann'), RateLimitedError);
});

test('uses that are given back or forgotten are available again', () => {
  const { rate } = limited(1);
  rate.take('ann');
  rate.giveBack('ann');
  rate.take('ann');
  rate.forget('ann');
  rate.take('ann');
  assert.throws(() => rate.take('ann'), RateLimitedError);
});

test('0 switches the limit off', () => {
  const { rate } = limited(0);
  for (let i = 0; i < 1000; i++) rate.take('ann');
});

test('the oldest key is forgotten when there are too many', () => {
  const { rate } = limited(1, 2);
  for (const key of ['ann', 'bob', 'cat']) rate.take(key);
  rate.take('ann');
  assert.throws(() => rate.take('cat'), RateLimitedError);
});
