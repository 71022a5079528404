import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCircuitBreaker } from './circuit-breaker.ts';

test('after failures in a row calls are refused, until a single try succeeds', () => {
  let time = 0;
  const breaker = createCircuitBreaker({ failures: 2, pauseMs: 100, now: () => time });
  breaker.failed();
  breaker.succeeded();
  breaker.failed();
  assert.ok(breaker.mayTry(), 'failures that a success separates do not count together');
  breaker.failed();
  assert.ok(breaker.isOpen());
  assert.equal(breaker.mayTry(), false);

  time = 100;
  assert.ok(breaker.mayTry(), 'after the pause one call may try');
  assert.equal(breaker.mayTry(), false, 'the others wait for its outcome');
  breaker.failed();
  time = 199;
  assert.equal(breaker.mayTry(), false, 'a failed try begins another pause');
  time = 200;
  assert.ok(breaker.mayTry());
  breaker.succeeded();
  assert.ok(breaker.mayTry() && breaker.mayTry());
});
