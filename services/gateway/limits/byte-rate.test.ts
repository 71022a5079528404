import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createByteRate } from './byte-rate.ts';

const KiB = 1024;

function session(perSecond = 256 * KiB) {
  const clock = { now: 0 };
  const rate = createByteRate(perSecond, () => clock.now);
  const allowance = rate.allowance();
  return { clock, rate, allowance, take: (bytes: number) => rate.take(allowance, bytes) };
}

test('a burst of 1 MiB passes; further bytes are refused, then the socket is closed, then cut off', () => {
  const { take, rate, allowance } = session();
  for (let frame = 0; frame < 16; frame++) assert.equal(take(64 * KiB), 'pass');
  assert.equal(rate.isOver(allowance), false);
  for (let frame = 0; frame < 4; frame++) assert.equal(take(64 * KiB), 'refuse');
  assert.equal(rate.isOver(allowance), true);
  for (let frame = 0; frame < 28; frame++) assert.equal(take(64 * KiB), 'close');
  assert.equal(take(64 * KiB), 'cut');
});

test('256 KiB per second pass for ever, and a pause pays the debt', () => {
  const { clock, take } = session();
  for (let second = 0; second < 100; second++) {
    clock.now += 1000;
    assert.equal(take(256 * KiB), 'pass');
  }
  take(768 * KiB);
  assert.equal(take(64 * KiB), 'refuse');
  clock.now += 1000;
  assert.equal(take(64 * KiB), 'pass');
});

test('0 lets everything pass', () => {
  const { take, rate, allowance } = session(0);
  assert.equal(take(2 ** 40), 'pass');
  assert.equal(rate.isOver(allowance), false);
});
