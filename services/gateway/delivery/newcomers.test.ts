import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createNewcomers } from './newcomers.ts';

function scene() {
  const newcomers = createNewcomers();
  const got: string[] = [];
  /** As a delivery does it: now, or when it may. */
  const deliver = (what: string, among: string[] = ['7']) => {
    if (newcomers.waits('c', '7', new Set(among))) newcomers.hold('c', '7', () => got.push(what));
    else got.push(what);
  };
  return { newcomers, got, deliver };
}

test('what comes for a newcomer waits until it is told, in its order', () => {
  const { newcomers, got, deliver } = scene();
  deliver('one');
  // A later one comes behind those that wait, whatever it says of newcomers.
  deliver('two', []);
  assert.deepEqual([got, newcomers.held()], [[], 2]);
  newcomers.announced('c', '7');
  deliver('three');
  assert.deepEqual([got, newcomers.held()], [['one', 'two', 'three'], 0]);
});

test('who is no newcomer, or was told before, does not wait', () => {
  const { newcomers, got, deliver } = scene();
  deliver('one', ['8']);
  newcomers.announced('c', '7');
  deliver('two');
  assert.deepEqual(got, ['one', 'two']);
});

test('who left and comes back waits again', () => {
  const { newcomers, got, deliver } = scene();
  newcomers.announced('c', '7');
  newcomers.departed('c', '7');
  deliver('one');
  assert.deepEqual(got, []);
  newcomers.announced('c', '7');
  assert.deepEqual(got, ['one']);
});

test('what nobody tells of comes after two seconds all the same', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { got, deliver } = scene();
  deliver('one');
  t.mock.timers.tick(1999);
  assert.deepEqual(got, []);
  t.mock.timers.tick(1);
  deliver('two');
  assert.deepEqual(got, ['one', 'two']);
});

test('only so many wait', () => {
  const { newcomers, got, deliver } = scene();
  for (let n = 0; n <= 10_000; n += 1) deliver(String(n));
  assert.deepEqual([got.length, newcomers.held()], [10_001, 0]);
});
