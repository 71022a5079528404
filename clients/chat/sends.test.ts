import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSends } from './sends.ts';

const never = new Promise<string>(() => {});
const unexpected = () => assert.fail('it must not be called');

test('the end waits for every open send, and knows that all were stored', async () => {
  const sends = createSends();
  const told: string[] = [];
  const sending = Promise.withResolvers<string>();
  sends.follow(sending.promise, (one) => told.push(one), unexpected);
  setImmediate(() => sending.resolve('stored'));
  assert.equal(await sends.settle(), true);
  assert.deepEqual(told, ['stored']);
});

test('a send that is not stored in time fails, once, and the end tells it', async () => {
  const sends = createSends(10);
  const failures: unknown[] = [];
  sends.follow(never, unexpected, (error) => failures.push(error));
  assert.equal(await sends.settle(), false);
  assert.deepEqual(
    failures.map((error) => (error as { code: string }).code),
    ['TIMEOUT'],
  );
});

test('a send that failed before the end counts', async () => {
  const sends = createSends();
  const failed = Promise.withResolvers<void>();
  sends.follow(Promise.reject(new Error('refused')), unexpected, () => failed.resolve());
  await failed.promise;
  assert.equal(await sends.settle(), false);
});
