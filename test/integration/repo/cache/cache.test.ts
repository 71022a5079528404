import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { type Cache, cacheKey } from '../../../../services/repo/cache/cache.ts';
import type { RedisStore } from '../../../../services/repo/storage/redis.ts';
import { eventually } from '../../../support/eventually.ts';
import { openCachedThings, thing } from '../../../support/repo/cached-things.ts';

const { server, rows, loads, load, connect, connectFor, newId } = await openCachedThings();
let redis: RedisStore;
let cache: Cache;

before(async () => {
  ({ redis, cache } = await connect());
});

after(() => redis.close());

beforeEach(() => {
  rows.clear();
  rows.set('1', 'old');
  loads.count = 0;
});

const read = async (id: string, from = cache) => (await from.read(thing, [id], load)).get(id);
const isCached = async (id: string) => (await server.client.exists(cacheKey(thing, id))) === 1;
const stored = (id: string) => eventually(() => isCached(id));

/** A change as every writer makes it. */
const change = (id: string, value: string, by = cache) =>
  by.change(async (touch) => {
    await touch([cacheKey(thing, id)]);
    rows.set(id, value);
  });

test('a value is loaded once and then read from Redis, by other processes too', async (context) => {
  const id = newId();
  assert.equal(await read(id), 'old');
  await stored(id);
  assert.equal(await read(id), 'old');
  const other = await connectFor(context);
  // A new connection begins a new epoch: values cached before it are void.
  assert.equal(await read(id, other.cache), 'old');
  await stored(id);
  assert.equal(await read(id), 'old');
  assert.equal(loads.count, 2);
});

test('missing rows are not cached', async () => {
  assert.equal(await read('nothing'), undefined);
  rows.set('nothing', 'now');
  assert.equal(await read('nothing'), 'now');
});

test('after a change the new value is read', async () => {
  const id = newId();
  await read(id);
  await stored(id);
  await change(id, 'new');
  assert.equal(await read(id), 'new');
});

test('a reader that read the row before the change does not store it after the change', async () => {
  const id = newId();
  const [, keep] = await cache.peek(thing, [id]);
  const before = rows.get(id) ?? '';
  await change(id, 'new');
  keep(new Map([[id, before]]));
  assert.equal(await read(id), 'new');
  await stored(id);
  assert.equal(await read(id), 'new');
});

test('a reader that comes while a change is under way stores nothing', async () => {
  const id = newId();
  const writer = cache.begin();
  await writer.touch([cacheKey(thing, id)]);
  assert.equal(await read(id), 'old');
  rows.set(id, 'new');
  // The transaction has committed, but the marks are not removed yet.
  const late = cache.peek(thing, [id]);
  await writer.end();
  const [, keep] = await late;
  keep(new Map([[id, 'old']]));
  assert.equal(await read(id), 'new');
});

test('the only writer leaves the new value, two at once leave none', async () => {
  const id = newId();
  const key = cacheKey(thing, id);
  const only = cache.begin();
  await only.touch([key]);
  rows.set(id, 'a');
  await only.end({ kind: thing, values: new Map([[key, 'a']]) });
  loads.count = 0;
  assert.deepEqual([await read(id), loads.count], ['a', 0]);

  const [first, second] = [cache.begin(), cache.begin()];
  await first.touch([key]);
  await second.touch([key]);
  rows.set(id, 'c');
  // The one that committed first ends last.
  await second.end({ kind: thing, values: new Map([[key, 'c']]) });
  await first.end({ kind: thing, values: new Map([[key, 'b']]) });
  assert.equal(await isCached(id), false);
  assert.equal(await read(id), 'c');
  assert.equal(await read(id), 'c');
});

test('a writer that dies leaves no outdated value behind', async () => {
  const id = newId();
  await read(id);
  await stored(id);
  const dying = cache.begin();
  await dying.touch([cacheKey(thing, id)]);
  rows.set(id, 'new');
  assert.equal(await read(id), 'new');
  assert.ok((await server.client.pttl(`dirty:${cacheKey(thing, id)}`)) > 0);
});

test('a change that fails leaves the old value', async () => {
  const id = newId();
  await assert.rejects(
    cache.change(async (touch) => {
      await touch([cacheKey(thing, id)]);
      throw new Error('rolled back');
    }),
  );
  assert.equal(await read(id), 'old');
  await stored(id);
});

test('a change while Redis is frozen is seen when it is back, and costs one short wait', async (context) => {
  const id = newId();
  const other = await connectFor(context);
  await read(id);
  await stored(id);
  server.freeze();
  try {
    const began = performance.now();
    await change(id, 'new');
    for (let n = 0; n < 20; n += 1) assert.equal(await read(id), 'new');
    assert.ok(performance.now() - began < 1000, `took ${performance.now() - began} ms`);
  } finally {
    server.thaw();
  }
  await eventually(() => redis.isUp());
  assert.equal(await read(id), 'new');
  await eventually(() => other.redis.isUp());
  assert.equal(await read(id, other.cache), 'new');
});

test('after concurrent reads and writes, every process reads the database’s values', async () => {
  const ids = Array.from({ length: 5 }, () => newId('0'));
  await Promise.all(
    Array.from({ length: 200 }, async (_, n) => {
      const id = ids[n % ids.length] ?? '';
      if (n % 3 === 0) await change(id, String(n));
      else await read(id);
    }),
  );
  for (const id of ids) assert.equal(await read(id), rows.get(id));
});

test('reads are correct after a restart and a flush of Redis, and without Redis', async () => {
  const id = newId();
  await read(id);
  await stored(id);
  await server.client.flushall();
  rows.set(id, 'flushed');
  assert.equal(await read(id), 'flushed');
  await server.kill();
  await change(id, 'gone');
  assert.equal(await read(id), 'gone');
  await server.restart();
  await eventually(() => redis.isUp());
  assert.equal(await read(id), 'gone');
  await stored(id);
});

test('the share of hits can be measured', async (context) => {
  const id = newId();
  await read(id);
  await stored(id);
  const other = await connectFor(context);
  await read(id, other.cache);
  await stored(id);
  await read(id, other.cache);
  const text = await other.metrics.registry.metrics();
  assert.match(text, /gochat_cache_hits_total\{cache="thing"\} 1/);
  assert.match(text, /gochat_cache_misses_total\{cache="thing"\} 1/);
  assert.match(text, /gochat_cache_hit_ratio\{cache="thing"\} /);
});
