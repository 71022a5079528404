import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFrameRate } from './frame-rate.ts';

function session(perSecond: number) {
  const clock = { now: 0 };
  const rate = createFrameRate(perSecond, () => clock.now);
  const allowance = rate.allowance();
  const count = (frames: number) => {
    const verdicts = { pass: 0, refuse: 0, close: 0 };
    for (let i = 0; i < frames; i++) verdicts[rate.judge(allowance)] += 1;
    return verdicts;
  };
  return { clock, count };
}

test('a burst of 200 passes, the next frames are refused', () => {
  const { count } = session(50);
  assert.deepEqual(count(210), { pass: 200, refuse: 10, close: 0 });
});

test('50 per second pass for ever', () => {
  const { clock, count } = session(50);
  count(200);
  for (let second = 0; second < 100; second++) {
    clock.now += 1000;
    assert.deepEqual(count(50), { pass: 50, refuse: 0, close: 0 });
  }
});

test('a thousand refused frames without a pause close the session', () => {
  const { clock, count } = session(50);
  assert.equal(count(1200).close, 0);
  assert.equal(count(1).close, 1);
  clock.now += 60_000;
  assert.equal(count(1200).close, 0);
});

test('0 lets everything pass', () => {
  assert.equal(session(0).count(100_000).pass, 100_000);
});
