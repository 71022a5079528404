// Room: the cache in Redis and in the memory of this process, and its invalidation. It caches any kind of value; the
// rooms above define the kinds.

import { randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { chunks } from '../../../lib/chunks.ts';
import type { Metrics } from '../../../lib/metrics.ts';
import { luaScript, type RedisStore } from '../storage/redis.ts';
import { createHitRatio } from './cache-hits.ts';
import { type CacheKind, cacheKey } from './cache-keys.ts';
import { changeKeys, createCacheMemory, epochKey, keptChanges, newEpoch } from './cache-memory.ts';
import {
  changing,
  createReadings,
  type Lookup,
  type Reading,
  type StoreEntries,
  type Wanted,
} from './cache-reading.ts';

export { type CacheKind, cacheKey, cacheKind } from './cache-keys.ts';
export type { Compute, Reading } from './cache-reading.ts';

export type Change = {
  /**
   * Invalidates the keys. Once it resolves, readers can't store old values of them. Must be called before the commit.
   */
  touch(keys: readonly string[]): Promise<void>;
  /** Must be called after the commit or rollback. Stores the known new values of one kind; other keys stay uncached. */
  end(known?: { kind: CacheKind<unknown>; values: ReadonlyMap<string, unknown> }): Promise<void>;
};

export type Cache = {
  /**
   * Begins a reading, for the hottest reads. It is as fresh as the other functions, but takes unchanged values from the
   * memory of this process. `prefetch` lists the values that will be read first; they come in the same round trip.
   */
  reading(prefetch?: Wanted): Promise<Reading>;
  /**
   * Returns values by id, from Redis or from `load`. `load` gets the missing ids and leaves out those that don't exist.
   */
  read<V>(
    kind: CacheKind<V>,
    ids: readonly string[],
    load: (missing: string[]) => Promise<ReadonlyMap<string, V>>,
  ): Promise<Map<string, V>>;
  /** Returns the cached values, and a function that stores values that the caller loaded for the missing ids. */
  peek<V>(kind: CacheKind<V>, ids: readonly string[]): Promise<[Map<string, V>, Store<V>]>;
  /**
   * Like `peek`, for several kinds in one round trip. The last function stores other values that the caller has loaded
   * since, unless a writer is changing their keys or changed them recently.
   */
  peekAll(
    wanted: readonly (readonly [CacheKind<unknown>, string])[],
  ): Promise<[unknown[], Store<unknown>[], StoreOthers]>;
  /** Begins a change for a caller that runs its own transaction: touch, commit, end. */
  begin(): Change;
  /** Runs `work`, which changes cached rows in a transaction and must `touch` their keys before the commit. */
  change<T>(work: (touch: Change['touch']) => Promise<T>): Promise<T>;
};

export type Store<V> = (values: ReadonlyMap<string, V>) => void;
export type StoreOthers = <V>(kind: CacheKind<V>, values: ReadonlyMap<string, V>) => void;

const readScript = luaScript(import.meta.url, 'cache-read');
const storeScript = luaScript(import.meta.url, 'cache-store');
const beginScript = luaScript(import.meta.url, 'cache-begin');
const endScript = luaScript(import.meta.url, 'cache-end');
const epochScript = luaScript(import.meta.url, 'cache-epoch');

const keysPerCall = 1000;
const markMs = 15_000;
/**
 * How long a reader may store a value after its lookup. Shorter than the TTL of a mark, so no mark can expire unseen.
 */
const storeWithinMs = 10_000;
const parsedBytes = 64 * 1024 * 1024;

/**
 * Cache-aside without its races. A writer marks the keys before it commits (`touch`) and again afterwards (`end`). A
 * reader stores a loaded value only if the key's mark is still the one that it saw and is not the mark of an active
 * writer. A mark begins with 'w' for one active writer, 'x' for several at once (the key is not cached until the mark
 * expires), or 'd' for a finished change. If a writer dies, its mark expires.
 *
 * Every value carries the epoch. A process begins a new epoch, which invalidates all values, before it uses Redis again
 * after it has changed rows without Redis, or after it has reconnected (the server may have restarted with old data).
 */
export function createCache(deps: { redis: RedisStore; metrics: Metrics }): Cache {
  const { redis } = deps;
  const hits = createHitRatio(deps.metrics);
  /** Parsed values by key, so that a hot value is parsed only once per text. */
  const parsed = new LRUCache<string, { text: string; value: unknown }>({
    maxSize: parsedBytes,
    sizeCalculation: ({ text }, key) => 200 + 3 * text.length + key.length,
  });

  /** True if an invalidation did not reach Redis, so that values there may be stale. */
  let invalidationMissed = false;
  redis.beforeUse(async (run, { reconnected }) => {
    if (!invalidationMissed && !reconnected) return;
    invalidationMissed = false;
    try {
      await run(epochScript, [epochKey], [newEpoch()]);
    } catch (error) {
      invalidationMissed = true;
      throw error;
    }
  });

  const parse = (key: string, text: string): unknown => {
    const known = parsed.get(key);
    if (known?.text === text) return known.value;
    const value: unknown = JSON.parse(text);
    parsed.set(key, { text, value });
    return value;
  };

  async function lookUp(keys: readonly string[]): Promise<Lookup> {
    const at = performance.now();
    const values: unknown[] = [];
    const sizes: number[] = [];
    const marks: string[] = [];
    let epoch = '';
    for (const some of chunks(keys, keysPerCall)) {
      const reply = (await redis.run(readScript, [epochKey, ...some], [newEpoch()])) as
        | [string, (string | null)[], string[]]
        | undefined;
      // The epoch changed during the lookup, so the marks of the earlier parts can't be used for storing.
      if (epoch !== '' && reply && reply[0] !== epoch) marks.fill(changing);
      epoch = reply?.[0] ?? epoch;
      some.forEach((key, index) => {
        const text = reply?.[1][index];
        values.push(text ? parse(key, text.slice(epoch.length)) : undefined);
        sizes.push(text?.length ?? 0);
        marks.push(reply?.[2][index] ?? changing);
      });
    }
    return { values, sizes, marks, epoch, at };
  }

  const store: StoreEntries = (epoch, at, ttlMs, entries) => {
    const storable = entries.filter(([, mark]) => mark !== changing);
    if (storable.length === 0 || performance.now() - at > storeWithinMs) return new Map();
    const texts = storable.map(([key, mark, value]) => [key, mark, JSON.stringify(value)] as const);
    for (const some of chunks(texts, keysPerCall)) {
      const args = some.flatMap(([, mark, text]) => [mark, text]);
      void redis.run(storeScript, [epochKey, ...some.map(([key]) => key)], [epoch, ttlMs, ...args]);
    }
    return new Map(texts.map(([key, , text]) => [key, text.length]));
  };

  async function peek<V>(kind: CacheKind<V>, ids: readonly string[]): Promise<[Map<string, V>, Store<V>]> {
    if (ids.length === 0) return [new Map(), () => undefined];
    const keys = ids.map((id) => cacheKey(kind, id));
    const { values, marks, epoch, at } = await lookUp(keys);
    const found = new Map<string, V>();
    const missing = new Map<string, string>();
    ids.forEach((id, index) => {
      const value = values[index];
      if (value === undefined) missing.set(id, marks[index] ?? changing);
      else found.set(id, value as V);
    });
    hits.count(kind.name, found.size, missing.size);
    return [
      found,
      (loaded) =>
        store(
          epoch,
          at,
          kind.ttlMs,
          [...loaded].map(([id, value]) => [cacheKey(kind, id), missing.get(id) ?? changing, value] as const),
        ),
    ];
  }

  function begin(): Change {
    const writerId = randomBytes(9).toString('base64url');
    const marks = [`w${writerId}`, `x${writerId}`, markMs];
    const touched = new Set<string>();
    let epoch: string | undefined;
    return {
      async touch(keys) {
        const fresh = [...new Set(keys)].filter((key) => !touched.has(key));
        for (const key of fresh) touched.add(key);
        for (const reply of await Promise.all(
          chunks(fresh, keysPerCall).map((some) =>
            redis.run(beginScript, [...changeKeys, ...some], [...marks, keptChanges]),
          ),
        )) {
          if (reply === undefined) invalidationMissed = true;
          // The first epoch counts. If the epoch has changed since, `end` must not store values in the new one.
          epoch ??= String(reply ?? '');
        }
      },
      async end(known) {
        const replies = chunks([...touched], keysPerCall).map((some) => {
          const next = some.map((key) =>
            known?.values.has(key) ? JSON.stringify(known.values.get(key)) : '',
          );
          const ttlMs = known?.kind.ttlMs ?? 0;
          return redis.run(
            endScript,
            [...changeKeys, ...some],
            [...marks, `d${writerId}`, epoch ?? '', ttlMs, ...next],
          );
        });
        if ((await Promise.all(replies)).includes(undefined)) invalidationMissed = true;
      },
    };
  }

  const reading = createReadings({ memory: createCacheMemory(redis), lookUp, store, hits });

  return {
    reading,
    peek,
    begin,
    async read(kind, ids, load) {
      const [found, keep] = await peek(kind, ids);
      const missing = ids.filter((id) => !found.has(id));
      if (missing.length === 0) return found;
      const loaded = await load(missing);
      keep(loaded);
      for (const [id, value] of loaded) found.set(id, value);
      return found;
    },
    async peekAll(wanted) {
      const keys = wanted.map(([kind, id]) => cacheKey(kind, id));
      const { values, marks, epoch, at } = await lookUp(keys);
      wanted.forEach(([kind], index) => {
        hits.count(kind.name, values[index] === undefined ? 0 : 1, values[index] === undefined ? 1 : 0);
      });
      const stores = wanted.map(
        ([kind, id], index): Store<unknown> =>
          (loaded) => {
            const value = loaded.get(id);
            if (value === undefined) return;
            store(epoch, at, kind.ttlMs, [[cacheKey(kind, id), marks[index] ?? changing, value]]);
          },
      );
      // An empty mark is right: any change since the lookup has left a mark that outlives `storeWithinMs`.
      const storeOthers: StoreOthers = (kind, others) =>
        store(
          epoch,
          at,
          kind.ttlMs,
          [...others].map(([id, value]) => [cacheKey(kind, id), '', value] as const),
        );
      return [values, stores, storeOthers];
    },
    async change(work) {
      const change = begin();
      try {
        return await work(change.touch);
      } finally {
        await change.end();
      }
    },
  };
}
