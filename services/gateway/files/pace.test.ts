import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPace } from './pace.ts';

test('all callers together move no more bytes per second than allowed, and each gets a share', async () => {
  const pace = createPace(1_000_000);
  const moved = [0, 0];
  const until = performance.now() + 300;
  await Promise.all(
    moved.map(async (_, caller) => {
      while (performance.now() < until) {
        await pace(2000);
        moved[caller] = (moved[caller] ?? 0) + 2000;
      }
    }),
  );
  const [first = 0, second = 0] = moved;
  assert.ok(first + second <= 320_000, `${first + second} bytes in 0.3 s`);
  assert.ok(Math.min(first, second) > (first + second) / 5, `${first} and ${second}`);
});
