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

/** Something made of two things. */
const readMade = async (a: string, b: string, from = cache) =>
  (await from.reading()).derive(`both ${a} ${b}`, async (reading) => {
    const value = `${await valueIn(reading, a)}+${await valueIn(reading, b)}`;
    return { value, bytes: value.length };
  });

const change = (id: string, value: string, by = cache) =>
  by.change(async (touch) => {
    await touch([cacheKey(thing, id)]);
    rows.set(id, value);
  });

test('what nobody changed is read out of memory', async () => {
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

test('a reading that begins after a change sees it, in every process', async (context) => {
  const other = await connectFor(context);
  const id = newId();
  for (const value of ['a', 'b', 'c']) {
    assert.deepEqual([await read(id), await read(id, other.cache)], [rows.get(id), rows.get(id)]);
    await change(id, value, value === 'b' ? other.cache : cache);
    assert.deepEqual([await read(id), await read(id, other.cache)], [value, value]);
  }
});

test('a caller who comes while another one hears of changes is told of later ones', async (context) => {
  const other = await connectFor(context);
  const slow = await connectFor(context);
  /** While it is set, what Redis says of changes arrives when it resolves. */
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

test('what is wanted soon comes with the news, and is as new', async (context) => {
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

test('what was read while a writer was at work is not kept, even if the writer dies', async () => {
  const id = newId();
  await read(id);
  const dying = cache.begin();
  await dying.touch([cacheKey(thing, id)]);
  assert.equal(await read(id), 'old');
  assert.equal(await readMade(id, id), 'old+old');
  rows.set(id, 'new');
  assert.equal(await read(id), 'new');
  assert.equal(await readMade(id, id), 'new+new');
});

test('a change between looking and loading: the old row is not kept', async (context) => {
  const other = await connectFor(context);
  const id = newId();
  const reading = await cache.reading();
  const found = await reading.read(thing, [id], async () => {
    const before = rows.get(id) ?? '';
    await change(id, 'new', other.cache);
    // Somebody else hears of the change before the old row arrives.
    await cache.reading();
    return new Map([[id, before]]);
  });
  assert.equal(found.get(id), 'old');
  assert.equal(await read(id), 'new');
});

test('a change that is heard of later: the old row is forgotten then', async (context) => {
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

test('a writer that outlived its mark: what was read after the mark is forgotten at its end', async () => {
  const id = newId();
  const slow = cache.begin();
  await slow.touch([cacheKey(thing, id)]);
  await server.client.del(`dirty:${cacheKey(thing, id)}`);
  assert.equal(await read(id), 'old');
  rows.set(id, 'new');
  await slow.end();
  assert.equal(await read(id), 'new');
});

test('what does not exist is asked for again once it does', async () => {
  const id = newId();
  rows.delete(id);
  assert.equal(await readMade(id, id), 'undefined+undefined');
  await change(id, 'there');
  assert.equal(await readMade(id, id), 'there+there');
});

test('a flush makes everything be forgotten', async () => {
  const id = newId();
  await read(id);
  await readMade(id, id);
  await server.client.flushall();
  rows.set(id, 'new');
  assert.deepEqual([await read(id), await readMade(id, id)], ['new', 'new+new']);
});

test('a flush is noticed however much changed after it', async (context) => {
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

test('who is too far behind forgets everything', async (context) => {
  const other = await connectFor(context);
  const id = newId();
  await read(id);
  await readMade(id, id);
  await change(id, 'new', other.cache);
  const many = Array.from({ length: 20_000 }, (_, n) => cacheKey(thing, `many${n}`));
  // In turn: an answer that takes 250 ms is taken for an outage.
  for (const some of chunks(many, 1000)) await other.cache.change((touch) => touch(some));
  assert.equal(await server.client.llen('cache:changes'), 20_000);
  assert.deepEqual([await read(id), await readMade(id, id)], ['new', 'new+new']);
});

test('without Redis everything is read where it is stored, and kept nowhere', async () => {
  const id = newId();
  await readMade(id, id);
  await server.kill();
  try {
    for (const value of ['one', 'two']) {
      await change(id, value);
      assert.deepEqual([await read(id), await readMade(id, id)], [value, `${value}+${value}`]);
    }
  } finally {
    await server.restart();
  }
  const again = await connect();
  await change(id, 'three', again.cache);
  await again.disconnect();
  await eventually(async () => (await server.client.exists('cache:epoch')) === 1);
  assert.deepEqual([await read(id), await readMade(id, id)], ['three', 'three+three']);
});

test('many readers and writers in two processes: nobody reads what was changed before', async (context) => {
  const other = await connectFor(context);
  const ids = Array.from({ length: 5 }, () => newId('0'));
  /** The last change of each that was acknowledged. */
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
      const made = await readMade(id, id, lane % 2 === 0 ? cache : other.cache);
      if (made.split('+').some((value) => Number(value) < least)) stale.push(`${made} after ${least}`);
    }
  });
  await Promise.all([...writers, ...readers]);
  assert.deepEqual(stale, []);
});

test('what comes out of memory counts as found', async (context) => {
  const other = await connectFor(context);
  const id = newId();
  await readMade(id, id, other.cache);
  await readMade(id, id, other.cache);
  const text = await other.metrics.registry.metrics();
  assert.match(text, /gochat_cache_misses_total\{cache="thing"\} 1/);
  assert.match(text, /gochat_cache_hits_total\{cache="thing"\} 3/);
});
