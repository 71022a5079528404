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

test('a derived value is kept until one of its sources changes', async (context) => {
  const other = await connectFor(context);
  const [a, b] = [newId('a'), newId('b')];
  const first = await readDerived(a, b);
  assert.equal(first, 'a+b');
  await Promise.all([spoilInRedis(a), spoilInRedis(b)]);
  assert.deepEqual([await readDerived(a, b), loads.count], ['a+b', 2]);
  await change(b, 'B', other.cache);
  assert.equal(await readDerived(a, b), 'a+B');
  await change(a, 'A');
  assert.equal(await readDerived(a, b), 'A+B');
});

test('a derived value whose source changes while it is computed is not kept, nor are values derived from it', async (context) => {
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
  // A change of a source of the kept inner value removes the outer value, too.
  await change(a, 'AA', other.cache);
  assert.equal(await readOuter(nothing), 'AA+b');
  await change(b, 'B', other.cache);
  assert.equal(await readOuter(nothing), 'AA+B');
});

/** All things as one derived value that can be patched, and how often it was computed and patched. */
function createAlbum(ids: readonly string[]) {
  const key = `album ${ids[0]}`;
  const done = { computed: 0, patched: 0 };
  const look = async (from = cache, between = async (): Promise<unknown> => undefined) =>
    (await from.reading()).derive<string[]>(
      key,
      async (reading) => {
        done.computed += 1;
        const found = await reading.read(thing, ids, load);
        return { value: ids.map((id) => `${id}=${found.get(id)}`), bytes: 1 };
      },
      {
        kind: thing,
        async patch(old, changed, reading) {
          done.patched += 1;
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

test('a value that can be patched is read again only where it changed', async (context) => {
  const other = await connectFor(context);
  const ids = [newId(), newId(), newId()] as const;
  const { look, expected, done } = createAlbum(ids);
  assert.deepEqual(await look(), expected());
  for (const [n, id] of [...ids, ...ids].entries()) {
    await change(id, `changed ${n}`, other.cache);
    assert.deepEqual(await look(), expected());
    assert.deepEqual(await look(), expected());
  }
  assert.deepEqual(done, { computed: 1, patched: 6 });
});

test('a change during a patch is applied by the next patch', async (context) => {
  const other = await connectFor(context);
  const [a, b] = [newId(), newId()];
  const { look, expected } = createAlbum([a, b]);
  await look();
  await change(a, 'A');
  await look(cache, async () => {
    await change(b, 'B', other.cache);
    await change(a, 'AA', other.cache);
    // Another reader notices these changes and patches the value.
    await look();
  });
  assert.deepEqual(await look(), expected());
});

test('a patch does not use a source that may be changing', async () => {
  const id = newId();
  const { look, expected } = createAlbum([id]);
  await look();
  const dying = cache.begin();
  await dying.touch([cacheKey(thing, id)]);
  await look();
  rows.set(id, 'new');
  assert.deepEqual(await look(), expected());
});

test('a value derived from a source that may be changing is not kept', async () => {
  const id = newId();
  const readOuter = async () =>
    (await cache.reading()).derive(`changing ${id}`, async (outer) => ({
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

test('reading a value derived from a derived value counts as reading all their sources', async (context) => {
  const other = await connectFor(context);
  const [a, b] = [newId(), newId()];
  const readWhole = async () =>
    (await other.cache.reading()).derive(`whole ${a} ${b}`, async (whole) => {
      const part = await whole.derive(`part ${a}`, async (reading) => ({
        value: await valueIn(reading, a),
        bytes: 1,
      }));
      return { value: `${part}+${await valueIn(whole, b)}`, bytes: 1 };
    });
  await readWhole();
  await readWhole();
  const text = await other.metrics.registry.metrics();
  assert.match(text, /gochat_cache_misses_total\{cache="thing"\} 2/);
  assert.match(text, /gochat_cache_hits_total\{cache="thing"\} 2/);
});
