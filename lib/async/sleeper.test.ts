import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { createSleeper } from './sleeper.ts';

test('a sleep ends after its time', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let awake = false;
  const sleeping = createSleeper()
    .sleep(100)
    .then(() => {
      awake = true;
    });
  t.mock.timers.tick(99);
  await turn();
  assert.equal(awake, false);
  t.mock.timers.tick(1);
  await sleeping;
});

test('a wake-up ends the current sleep, or else the next one, and no later one', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const sleeper = createSleeper();
  const first = sleeper.sleep(100);
  sleeper.wake();
  await first;
  sleeper.wake();
  await sleeper.sleep(100);
  let awake = false;
  const third = sleeper.sleep(100).then(() => {
    awake = true;
  });
  await turn();
  assert.equal(awake, false);
  t.mock.timers.tick(100);
  await third;
});
