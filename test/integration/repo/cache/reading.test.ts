import assert from 'node:assert/strict';
import { before, beforeEach, type TestContext, test } from 'node:test';
import { createLogger } from '../../../../lib/log.ts';
import { createMetrics } from '../../../../lib/metrics.ts';
import {
  type Cache,
  cacheKey,
  cacheKind,
  chunks,
  createCache,
  type Reading,
} from '../../../../services/repo/cache/cache.ts';
import { createRedis } from '../../../../services/repo/storage/redis.ts';
import { eventually } from '../../../support/eventually.ts';
import { type PrivateRedis, startPrivateRedis } from '../../../support/servers/redis-server.ts';

const thing = cacheKind<string>('thing', 60_000);
const log = createLogger('test', 'silent');
let server: PrivateRedis;
let cache: Cache;
let disconnect: () => Promise<void>;
/** What the database says of each thing, and how often it was asked. */
let rows: Map<string, string>;
let loads: number;

before(async () => {
  server = await startPrivateRedis();
});

beforeEach(async (context) => {
  rows = new Map();
  loads = 0;
  ({ cache, disconnect } = await connect());
  (context as TestContext).after(() => disconnect());
});

async function connect() {
  const metrics = createMetrics('test');
  const redis = createRedis({ url: server.url, log, metrics });
  const made = createCache({ redis, metrics });
  await eventually(() => redis.isUp());
  return { cache: made, metrics, redis, disconnect: () => redis.close() };
}

/** What another process of ours has, for the time of a test. */
async function connectFor(context: TestContext) {
  const other = await connect();
  context.after(other.disconnect);
  return other;
}

const load = async (missing: string[]) => {
  loads += 1;
  return new Map(missing.flatMap((id) => (rows.has(id) ? [[id, rows.get(id) ?? ''] as const] : [])));
};
let lastId = 0;
/** An id that no test before has cached. */
const newId = (value = 'old') => {
  lastId += 1;
  const id = `r${lastId}`;
  rows.set(id, value);
  return id;
};
const valueIn = async (reading: Reading, id: string) => (await reading.read(thing, [id], load)).get(id);
const read = async (id: string, from = cache) => valueIn(await from.reading(), id);
/** Something made of two things. */
const readMade = async (a: string, b: string, from = cache) =>
  (await from.reading()).made(`both ${a} ${b}`, async (reading) => {
    const value = `${await valueIn(reading, a)}+${await valueIn(reading, b)}`;
    return { value, bytes: value.length };
  });
const change = (id: string, value: string, by = cache) =>
  by.change(async (touch) => {
    await touch([cacheKey(thing, id)]);
    rows.set(id, value);
  });
/** Makes what Redis has of it wrong: whoever reads this did not read from memory. */
const spoilInRedis = async (id: string) => {
  const key = cacheKey(thing, id);
  await eventually(async () => (await server.client.exists(key)) === 1);
  await server.client.set(key, `${await server.client.get('cache:epoch')}"spoilt"`);
};

test('what nobody changed is read out of memory', async () => {
  const id = newId();
  assert.equal(await read(id), 'old');
  await spoilInRedis(id);
  assert.deepEqual([await read(id), loads], ['old', 1]);
});

test('a value that another process has cached is kept, too', async (context) => {
  const other = await connectFor(context);
  const id = newId();
  await read(id, other.cache);
  await eventually(async () => (await server.client.exists(cacheKey(thing, id))) === 1);
  assert.deepEqual([await read(id), loads], ['old', 1]);
  await spoilInRedis(id);
  assert.deepEqual([await read(id), loads], ['old', 1]);
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
  assert.deepEqual([await readSoon(), loads], ['old', 1]);
  await spoilInRedis(id);
  assert.deepEqual([await readSoon(), loads], ['old', 1]);
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

test('what is made of values is kept until one of them changes', async (context) => {
  const other = await connectFor(context);
  const [a, b] = [newId('a'), newId('b')];
  const first = await readMade(a, b);
  assert.equal(first, 'a+b');
  await Promise.all([spoilInRedis(a), spoilInRedis(b)]);
  assert.deepEqual([await readMade(a, b), loads], ['a+b', 2]);
  await change(b, 'B', other.cache);
  assert.equal(await readMade(a, b), 'a+B');
  await change(a, 'A');
  assert.equal(await readMade(a, b), 'A+B');
});

test('a change while something is being made: it is not kept, nor what was made of it', async (context) => {
  const other = await connectFor(context);
  const [a, b] = [newId('a'), newId('b')];
  const readOuter = async (between: () => Promise<unknown>) =>
    (await cache.reading()).made(`outer ${a} ${b}`, async (outer) => {
      const inner = await outer.made(`inner ${a}`, async (reading) => {
        const value = await valueIn(reading, a);
        await between();
        return { value, bytes: 1 };
      });
      return { value: `${inner}+${await valueIn(outer, b)}`, bytes: 1 };
    });
  const nothing = async () => undefined;
  await readOuter(async () => {
    await change(a, 'A', other.cache);
    await cache.reading();
  });
  assert.equal(await readOuter(nothing), 'A+b');
  // What hangs on an inner value that was kept goes with it.
  await change(a, 'AA', other.cache);
  assert.equal(await readOuter(nothing), 'AA+b');
  await change(b, 'B', other.cache);
  assert.equal(await readOuter(nothing), 'AA+B');
});

/** All the things as one value, of which only what changed is read anew; and how often it was made and mended. */
function createAlbum(ids: readonly string[]) {
  const key = `album ${ids[0]}`;
  const done = { made: 0, mended: 0 };
  const look = async (from = cache, between = async (): Promise<unknown> => undefined) =>
    (await from.reading()).made<string[]>(
      key,
      async (reading) => {
        done.made += 1;
        const found = await reading.read(thing, ids, load);
        return { value: ids.map((id) => `${id}=${found.get(id)}`), bytes: 1 };
      },
      {
        kind: thing,
        async mend(old, changed, reading) {
          done.mended += 1;
          const found = await reading.read(thing, changed, load);
          await between();
          return old.map((entry) => {
            const id = entry.split('=')[0] ?? '';
            return found.has(id) ? `${id}=${found.get(id)}` : entry;
          });
        },
      },
    );
  const expected = () => ids.map((id) => `${id}=${rows.get(id)}`);
  return { look, expected, done };
}

test('a value that can be mended is read anew only where it changed', async (context) => {
  const other = await connectFor(context);
  const ids = [newId(), newId(), newId()] as const;
  const { look, expected, done } = createAlbum(ids);
  assert.deepEqual(await look(), expected());
  for (const [n, id] of [...ids, ...ids].entries()) {
    await change(id, `changed ${n}`, other.cache);
    assert.deepEqual(await look(), expected());
    assert.deepEqual(await look(), expected());
  }
  assert.deepEqual(done, { made: 1, mended: 6 });
});

test('what changes while a value is being mended is mended next', async (context) => {
  const other = await connectFor(context);
  const [a, b] = [newId(), newId()];
  const { look, expected } = createAlbum([a, b]);
  await look();
  await change(a, 'A');
  await look(cache, async () => {
    await change(b, 'B', other.cache);
    await change(a, 'AA', other.cache);
    // Somebody else hears of it and mends it all.
    await look();
  });
  assert.deepEqual(await look(), expected());
});

test('a value is not mended with what may be changing', async () => {
  const id = newId();
  const { look, expected } = createAlbum([id]);
  await look();
  const dying = cache.begin();
  await dying.touch([cacheKey(thing, id)]);
  await look();
  rows.set(id, 'new');
  assert.deepEqual(await look(), expected());
});

test('nothing is kept that was made of something unsettled', async () => {
  const id = newId();
  const readOuter = async () =>
    (await cache.reading()).made(`unsettled ${id}`, async (outer) => ({
      value: await outer.made(`inner ${id}`, async (inner) => ({
        value: await valueIn(inner, id),
        bytes: 1,
      })),
      bytes: 1,
    }));
  const dying = cache.begin();
  await dying.touch([cacheKey(thing, id)]);
  assert.equal(await readOuter(), 'old');
  rows.set(id, 'new');
  assert.equal(await readOuter(), 'new');
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

test('who finds what was made of a made value found all that both were made of', async (context) => {
  const other = await connectFor(context);
  const [a, b] = [newId(), newId()];
  const make = async () =>
    (await other.cache.reading()).made(`whole ${a} ${b}`, async (whole) => {
      const part = await whole.made(`part ${a}`, async (reading) => ({
        value: await valueIn(reading, a),
        bytes: 1,
      }));
      return { value: `${part}+${await valueIn(whole, b)}`, bytes: 1 };
    });
  await make();
  await make();
  const text = await other.metrics.registry.metrics();
  assert.match(text, /gochat_cache_misses_total\{cache="thing"\} 2/);
  assert.match(text, /gochat_cache_hits_total\{cache="thing"\} 2/);
});
