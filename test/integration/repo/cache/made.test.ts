import assert from 'node:assert/strict';
import { beforeEach, type TestContext, test } from 'node:test';
import { type Cache, cacheKey } from '../../../../services/repo/cache/cache.ts';
import { openCachedThings, thing } from '../../../support/repo/cached-things.ts';

const { rows, loads, load, connect, connectFor, newId, valueIn, spoilInRedis } = await openCachedThings();
let cache: Cache;
let disconnect: () => Promise<void>;

beforeEach(async (context) => {
  rows.clear();
  loads.count = 0;
  ({ cache, disconnect } = await connect());
  (context as TestContext).after(() => disconnect());
});

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

test('what is made of values is kept until one of them changes', async (context) => {
  const other = await connectFor(context);
  const [a, b] = [newId('a'), newId('b')];
  const first = await readMade(a, b);
  assert.equal(first, 'a+b');
  await Promise.all([spoilInRedis(a), spoilInRedis(b)]);
  assert.deepEqual([await readMade(a, b), loads.count], ['a+b', 2]);
  await change(b, 'B', other.cache);
  assert.equal(await readMade(a, b), 'a+B');
  await change(a, 'A');
  assert.equal(await readMade(a, b), 'A+B');
});

test('a change while something is being made: it is not kept, nor what was made of it', async (context) => {
  const other = await connectFor(context);
  const [a, b] = [newId('a'), newId('b')];
  const readOuter = async (between: () => Promise<unknown>) =>
    (await cache.reading()).derive(`outer ${a} ${b}`, async (outer) => {
      const inner = await outer.derive(`inner ${a}`, async (reading) => {
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
    (await from.reading()).derive<string[]>(
      key,
      async (reading) => {
        done.made += 1;
        const found = await reading.read(thing, ids, load);
        return { value: ids.map((id) => `${id}=${found.get(id)}`), bytes: 1 };
      },
      {
        kind: thing,
        async patch(old, changed, reading) {
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
    (await cache.reading()).derive(`unsettled ${id}`, async (outer) => ({
      value: await outer.derive(`inner ${id}`, async (inner) => ({
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

test('who finds what was made of a made value found all that both were made of', async (context) => {
  const other = await connectFor(context);
  const [a, b] = [newId(), newId()];
  const make = async () =>
    (await other.cache.reading()).derive(`whole ${a} ${b}`, async (whole) => {
      const part = await whole.derive(`part ${a}`, async (reading) => ({
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
