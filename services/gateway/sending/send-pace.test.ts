import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSendPace } from './send-pace.ts';

const after = (deliveries: number, ms: number) => {
  const pace = createSendPace();
  for (let n = 0; n < deliveries; n += 1) pace.delivered(ms);
  return pace.lingerMs();
};

test('produces do not linger while a delivery takes little time', () => {
  assert.equal(after(0, 0), 0);
  assert.equal(after(1000, 1.5), 0);
});

test('the longer deliveries take, the longer a produce lingers, up to a bound', () => {
  assert.ok(after(1000, 10) > 2 * after(1000, 4));
  assert.ok(after(1000, 10) < 7);
  assert.equal(after(1000, 1000), 10);
});

test('one slow delivery changes little', () => {
  assert.equal(after(1, 25), 0);
});
