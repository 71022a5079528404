import assert from 'node:assert/strict';
import { beforeEach, type TestContext, test } from 'node:test';
import { chunks } from '../../../../lib/chunks.ts';
import { createMetrics } from '../../../../lib/metrics.ts';
import { type Cache, cacheKey, createCache } from '../../../../services/repo/cache/cache.ts';
import { eventually } from '../../../support/eventually.ts';
import { openCachedThings, thing } from '../../../support/repo/cached-things.ts';

const { server, rows, loads, connect, connectFor, newId, valueIn, spoilInRedis } = await openCachedThings();
let cache: Cache;
let disconnect: () => Promise<void>;

beforeEach(async (context) => {
  rows.clear();
  loads.count = 0;
  ({ cache, disconnect } = await connect());
  (context as TestContext).after(() => disconnect());
});

const read = async (id: string, from = cache) => valueIn(await from.reading(), id);

/** A value derived from two things. */
const readDerived = async (a: string, b: string, from = cache) =>
  (await from.reading()).derive(`both ${a} ${b}`, async (reading) => {
    const value = `${await valueIn(reading, a)}+${await valueIn(reading, b)}`;
    return { value, bytes: value.length };
  });

const change = (id: string, value: string, by = cache) =>
  by.change(async (touch) => {
    await touch([cacheKey(thing, id)]);
    rows.set(id, value);
  });

test('an unchanged value is read from memory', async () => {
  const id = newId();
  assert.equal(await read(id), 'old');
  await spoilInRedis(id);
  assert.deepEqual([await read(id), loads.count], ['old', 1]);
});

test('a value that another process has cached is kept, too', async (context) => {
  const other = await connectFor(context);
  const id = newId();
  await read(id, other.cache);
  await eventually(async () => (await server.client.exists(cacheKey(thing, id))) === 1);
  assert.deepEqual([await read(id), loads.count], ['old', 1]);
  await spoilInRedis(id);
  assert.deepEqual([await read(id), loads.count], ['old', 1]);
});

test('a read that begins after a change sees it, in every process', async (context) => {
  const other = await connectFor(context);
  const id = newId();
  for (const value of ['a', 'b', 'c']) {
    assert.deepEqual([await read(id), await read(id, other.cache)], [rows.get(id), rows.get(id)]);
    await change(id, value, value === 'b' ? other.cache : cache);
    assert.deepEqual([await read(id), await read(id, other.cache)], [value, value]);
  }
});

test('a caller that arrives while another one asks for changes gets the later changes, too', async (context) => {
  const other = await connectFor(context);
  const slow = await connectFor(context);
  /** While it is set, Redis's answers about changes are held back until it resolves. */
  let late: Promise<void> | undefined;
  const run: typeof slow.redis.run = async (script, keys, args) => {
    const reply = await slow.redis.run(script, keys, args);
    if (script.name === 'cache-changes') await late;
    return reply;
  };
  const behind = createCache({ redis: { ...slow.redis, run }, metrics: createMetrics('test') });
  const id = newId();
  await read(id, behind);
  const { promise, resolve } = Promise.withResolvers<void>();
  late = promise;
  const earlier = behind.reading();
  await change(id, 'new', other.cache);
  const later = behind.reading();
  resolve();
  await earlier;
  assert.equal(await valueIn(await later, id), 'new');
});

test('a prefetched value comes with the changes, and is as new as they are', async (context) => {
  const other = await connectFor(context);
  const id = newId();
  await read(id, other.cache);
  await eventually(async () => (await server.client.exists(cacheKey(thing, id))) === 1);
  const readSoon = async () => valueIn(await cache.reading([[thing, id]]), id);
  assert.deepEqual([await readSoon(), loads.count], ['old', 1]);
  await spoilInRedis(id);
  assert.deepEqual([await readSoon(), loads.count], ['old', 1]);
  await change(id, 'new', other.cache);
  assert.equal(await readSoon(), 'new');
});

test('a value read during a write is not kept, even if the writer dies', async () => {
  const id = newId();
  await read(id);
  const dying = cache.begin();
  await dying.touch([cacheKey(thing, id)]);
  assert.equal(await read(id), 'old');
  assert.equal(await readDerived(id, id), 'old+old');
  rows.set(id, 'new');
  assert.equal(await read(id), 'new');
  assert.equal(await readDerived(id, id), 'new+new');
});

test('a row that changes between the lookup and its load is not kept', async (context) => {
  const other = await connectFor(context);
  const id = newId();
  const reading = await cache.reading();
  const found = await reading.read(thing, [id], async () => {
    const before = rows.get(id) ?? '';
    await change(id, 'new', other.cache);
    // Another reader notices the change before the old row arrives.
    await cache.reading();
    return new Map([[id, before]]);
  });
  assert.equal(found.get(id), 'old');
  assert.equal(await read(id), 'new');
});

test('an outdated row is removed when its change is noticed', async (context) => {
  const other = await connectFor(context);
  const id = newId();
  const reading = await cache.reading();
  await reading.read(thing, [id], async () => {
    const before = rows.get(id) ?? '';
    await change(id, 'new', other.cache);
    return new Map([[id, before]]);
  });
  assert.equal(await read(id), 'new');
});

test('if a writer takes longer than its mark lives, values read after the mark are removed when it ends', async () => {
  const id = newId();
  const slow = cache.begin();
  await slow.touch([cacheKey(thing, id)]);
  await server.client.del(`dirty:${cacheKey(thing, id)}`);
  assert.equal(await read(id), 'old');
  rows.set(id, 'new');
  await slow.end();
  assert.equal(await read(id), 'new');
});

test('a missing row is read again after it was created', async () => {
  const id = newId();
  rows.delete(id);
  assert.equal(await readDerived(id, id), 'undefined+undefined');
  await change(id, 'there');
  assert.equal(await readDerived(id, id), 'there+there');
});

test('a flush of Redis removes all values from memory', async () => {
  const id = newId();
  await read(id);
  await readDerived(id, id);
  await server.client.flushall();
  rows.set(id, 'new');
  assert.deepEqual([await read(id), await readDerived(id, id)], ['new', 'new+new']);
});

test('a flush of Redis is noticed, however many changes follow it', async (context) => {
  const other = await connectFor(context);
  const id = newId();
  await read(id);
  const before = Number(await server.client.get('cache:changes:count'));
  await server.client.flushall();
  rows.set(id, 'new');
  const keys = Array.from({ length: before + 5 }, (_, n) => cacheKey(thing, `after${n}`));
  await other.cache.change((touch) => touch(keys));
  assert.equal(await read(id), 'new');
});

test('a process that missed too many changes removes all values from memory', async (context) => {
  const other = await connectFor(context);
  const id = newId();
  await read(id);
  await readDerived(id, id);
  await change(id, 'new', other.cache);
  const many = Array.from({ length: 20_000 }, (_, n) => cacheKey(thing, `many${n}`));
  // One after the other: an answer that takes 250 ms counts as an outage.
  for (const some of chunks(many, 1000)) await other.cache.change((touch) => touch(some));
  assert.equal(await server.client.llen('cache:changes'), 20_000);
  assert.deepEqual([await read(id), await readDerived(id, id)], ['new', 'new+new']);
});

test('without Redis, all values are read from the database, and none are kept', async () => {
  const id = newId();
  await readDerived(id, id);
  await server.kill();
  try {
    for (const value of ['one', 'two']) {
      await change(id, value);
      assert.deepEqual([await read(id), await readDerived(id, id)], [value, `${value}+${value}`]);
    }
  } finally {
    await server.restart();
  }
  const again = await connect();
  await change(id, 'three', again.cache);
  await again.disconnect();
  await eventually(async () => (await server.client.exists('cache:epoch')) === 1);
  assert.deepEqual([await read(id), await readDerived(id, id)], ['three', 'three+three']);
});

test('with many readers and writers in two processes, nobody reads a value that was changed before the read began', async (context) => {
  const other = await connectFor(context);
  const ids = Array.from({ length: 5 }, () => newId('0'));
  /** The last acknowledged change of each thing. */
  const done = new Map(ids.map((id) => [id, 0]));
  let working = ids.length;
  const writers = ids.map(async (id, index) => {
    for (let n = 1; n <= 60; n += 1) {
      await change(id, String(n), index % 2 === 0 ? cache : other.cache);
      done.set(id, n);
    }
    working -= 1;
  });
  const stale: string[] = [];
  const readers = Array.from({ length: 30 }, async (_, lane) => {
    for (let turn = lane; working > 0; turn += 1) {
      const id = ids[turn % ids.length] ?? '';
      const least = done.get(id) ?? 0;
      const made = await readDerived(id, id, lane % 2 === 0 ? cache : other.cache);
      if (made.split('+').some((value) => Number(value) < least)) stale.push(`${made} after ${least}`);
    }
  });
  await Promise.all([...writers, ...readers]);
  assert.deepEqual(stale, []);
});

test('a value read from memory counts as a cache hit', async (context) => {
  const other = await connectFor(context);
  const id = newId();
  await readDerived(id, id, other.cache);
  await readDerived(id, id, other.cache);
  const text = await other.metrics.registry.metrics();
  assert.match(text, /gochat_cache_misses_total\{cache="thing"\} 1/);
  assert.match(text, /gochat_cache_hits_total\{cache="thing"\} 3/);
});
