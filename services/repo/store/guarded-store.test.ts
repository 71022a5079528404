import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { createLogger } from '../../../lib/log.ts';
import { createMetrics } from '../../../lib/metrics.ts';
import { eventually } from '../../../test/support/eventually.ts';
import { guardStore } from './guarded-store.ts';
import type { ObjectStore } from './store.ts';

const never = () => new Promise<never>(() => undefined);

function guarded(parts: Partial<ObjectStore>) {
  const metrics = createMetrics('repo');
  const store = guardStore(parts as ObjectStore, {
    name: 'files',
    log: createLogger('test', 'silent'),
    metrics,
    deadlineMs: 20,
  });
  const isUp = async () => (await metrics.registry.metrics()).includes('gochat_store_up{store="files"} 1');
  return { store, isUp };
}

test('a store that gives no answer is UNAVAILABLE after the deadline', async () => {
  const { store } = guarded({ head: never, get: never, put: never });
  await assert.rejects(store.head('a'), { code: 'UNAVAILABLE' });
  await assert.rejects(store.get('a'), { code: 'UNAVAILABLE' });
  const body = Readable.from(['x']);
  await assert.rejects(store.put('a', body, { size: 1 }), { code: 'UNAVAILABLE' });
  assert.ok(body.destroyed);
});

test('an object that comes after the deadline is closed', async () => {
  const late = Promise.withResolvers<{ body: Readable; size: number }>();
  let signal: AbortSignal | undefined;
  const { store } = guarded({
    get: (_key, _part, options) => {
      signal = options?.signal;
      return late.promise;
    },
  });
  await assert.rejects(store.get('a'), { code: 'UNAVAILABLE' });
  assert.ok(signal?.aborted);
});

test('after several failures in a row calls are refused without asking the store', async () => {
  let calls = 0;
  const { store, isUp } = guarded({
    head: async () => {
      calls += 1;
      throw new Error('connection refused');
    },
  });
  for (let i = 0; i < 20; i++) await assert.rejects(store.head('a'), { code: 'UNAVAILABLE' });
  assert.equal(calls, 5);
  assert.equal(await isUp(), false);
});

test('a wrong request says nothing about the store', async () => {
  const { store, isUp } = guarded({
    get: async () => {
      throw new RangeError('the part is not in the object');
    },
  });
  for (let i = 0; i < 20; i++) await assert.rejects(store.get('a'), RangeError);
  await eventually(isUp);
});
