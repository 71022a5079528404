import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSendPace } from './send-pace.ts';

const after = (acknowledgements: number, seconds: number) => {
  const pace = createSendPace();
  for (let n = 0; n < acknowledgements; n += 1) pace.note(seconds);
  return pace.lingerMs();
};

test('produces do not linger while acknowledgements are quick', () => {
  assert.equal(after(0, 0), 0);
  assert.ok(after(1000, 0.003) < 1);
});

test('the slower acknowledgements are, the longer a produce lingers, up to a bound', () => {
  assert.ok(after(1000, 0.02) > 2 * after(1000, 0.008));
  assert.ok(after(1000, 0.02) < 7);
  assert.equal(after(1000, 30), 10);
});

test('one slow acknowledgement changes little', () => {
  assert.ok(after(1, 0.05) < 1);
});
