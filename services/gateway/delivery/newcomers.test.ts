import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createNewcomers } from './newcomers.ts';

function scene() {
  const newcomers = createNewcomers();
  const got: string[] = [];
  /** Delivers as downstream does: at once, or when the newcomer has received the event. */
  const deliver = (what: string, newcomerIds: string[] = ['7']) => {
    if (newcomers.mustWait('c', '7', new Set(newcomerIds))) newcomers.hold('c', '7', () => got.push(what));
    else got.push(what);
  };
  return { newcomers, got, deliver };
}

test('frames for a new member wait for the event of the addition, and keep their order', () => {
  const { newcomers, got, deliver } = scene();
  deliver('one');
  // A later frame queues behind the waiting ones, even if it names no newcomers.
  deliver('two', []);
  assert.deepEqual([got, newcomers.held()], [[], 2]);
  newcomers.announced('c', '7');
  deliver('three');
  assert.deepEqual([got, newcomers.held()], [['one', 'two', 'three'], 0]);
});

test('frames do not wait for other users, or for newcomers who have got the event', () => {
  const { newcomers, got, deliver } = scene();
  deliver('one', ['8']);
  newcomers.announced('c', '7');
  deliver('two');
  assert.deepEqual(got, ['one', 'two']);
});

test('frames wait again after a user has left and joined again', () => {
  const { newcomers, got, deliver } = scene();
  newcomers.announced('c', '7');
  newcomers.departed('c', '7');
  deliver('one');
  assert.deepEqual(got, []);
  newcomers.announced('c', '7');
  assert.deepEqual(got, ['one']);
});

test('without the event, frames are delivered after two seconds', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { got, deliver } = scene();
  deliver('one');
  t.mock.timers.tick(1999);
  assert.deepEqual(got, []);
  t.mock.timers.tick(1);
  deliver('two');
  assert.deepEqual(got, ['one', 'two']);
});

test('the number of waiting frames is bounded', () => {
  const { newcomers, got, deliver } = scene();
  for (let n = 0; n <= 10_000; n += 1) deliver(String(n));
  assert.deepEqual([got.length, newcomers.held()], [10_001, 0]);
});
