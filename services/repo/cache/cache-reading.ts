import { createDerivedValues, type Derived } from './cache-derived.ts';
import type { HitRatio } from './cache-hits.ts';
import { type CacheKind, cacheKey } from './cache-keys.ts';
import type { CacheMemory } from './cache-memory.ts';

export type Reading = {
  /** Like `Cache.read`. */
  read<V>(
    kind: CacheKind<V>,
    ids: readonly string[],
    load: (missing: string[]) => Promise<ReadonlyMap<string, V>>,
  ): Promise<Map<string, V>>;
  /** Returns the value only if it is cached. */
  peek<V>(kind: CacheKind<V>, id: string): Promise<V | undefined>;
  /**
   * Returns the value that `compute` derives from what it reads through the given reading. The value is kept until
   * anything that was read changes. `bytes` is its approximate size in memory. With `patching`, a change of one kind of
   * value patches the derived value instead of removing it.
   */
  derive<T>(key: string, compute: Compute<T>, patching?: Patching<T>): Promise<T>;
  /** Prevents the value that is computed through this reading from being kept. */
  doNotCache(): void;
};

export type Wanted = readonly (readonly [CacheKind<unknown>, string])[];

export type Compute<T> = (reading: Reading) => Promise<{ value: T; bytes: number }>;

export type Patching<T> = {
  kind: CacheKind<unknown>;
  /**
   * Returns the value after a change of these ids of the kind. It must not mutate the old value. If it returns
   * undefined, the value is computed again.
   */
  patch(old: T, ids: string[], reading: Reading): Promise<T | undefined>;
};

/**
 * The cached values of some keys, in the order of the keys (undefined if missing), with the lengths of their texts and
 * the marks for storing missing ones. `at` is the time of the lookup (performance.now).
 */
export type Lookup = { values: unknown[]; sizes: number[]; marks: string[]; epoch: string; at: number };

/**
 * Stores entries of [key, mark, value] unless a writer is changing their keys. Returns the lengths of the texts of the
 * values that may be kept in memory, by key.
 */
export type StoreEntries = (
  epoch: string,
  at: number,
  ttlMs: number,
  entries: readonly (readonly [string, string, unknown])[],
) => ReadonlyMap<string, number>;

/** The mark of a key that a writer may be changing right now. */
export const changing = '!';

/** Creates readings. They take unchanged values from memory, and the others from Redis or from the database. */
export function createReadings(deps: {
  memory: CacheMemory;
  lookUp: (keys: readonly string[]) => Promise<Lookup>;
  store: StoreEntries;
  hits: HitRatio;
}): (prefetch?: Wanted) => Promise<Reading> {
  const { memory, lookUp, store, hits } = deps;
  const derivedValues = createDerivedValues();
  memory.onChange(derivedValues.changed);

  /** `inSync`: values in memory may be used and added. `derived`: the value that is computed from what is read. */
  function readingFor(inSync: boolean, derived?: Derived): Reading {
    const watch = (key: string) => {
      if (derived) derivedValues.watch(derived, key);
    };
    const doNotCache = () => {
      if (derived) derived.uncacheable = true;
    };
    const countReads = (cache: string, count: number) => {
      if (derived) derived.reads.set(cache, (derived.reads.get(cache) ?? 0) + count);
    };
    /** A hit of a derived value is also a hit of its parts. A part counts once, even if it was read from thousands. */
    const countPart = (part: Derived) => {
      for (const cache of part.reads.keys()) countReads(cache, 1);
    };

    async function read<V>(
      kind: CacheKind<V>,
      ids: readonly string[],
      load: (missing: string[]) => Promise<ReadonlyMap<string, V>>,
    ): Promise<Map<string, V>> {
      const found = new Map<string, V>();
      const notInMemory: string[] = [];
      for (const id of ids) {
        const key = cacheKey(kind, id);
        watch(key);
        const value = inSync ? memory.find(key) : undefined;
        if (value === undefined) notInMemory.push(id);
        else found.set(id, value as V);
      }
      const missing = notInMemory.length === 0 ? 0 : await readMissing(kind, notInMemory, found, load);
      const hit = ids.length - missing;
      hits.count(kind.name, hit, missing);
      countReads(kind.name, ids.length);
      return found;
    }

    /** Reads the values that are not in memory and adds them to `found`. Returns how many were not in Redis either. */
    async function readMissing<V>(
      kind: CacheKind<V>,
      ids: readonly string[],
      found: Map<string, V>,
      load: (missing: string[]) => Promise<ReadonlyMap<string, V>>,
    ): Promise<number> {
      const keys = ids.map((id) => cacheKey(kind, id));
      const fill = memory.startFill(keys);
      try {
        const { values, sizes, marks, epoch, at } = await lookUp(keys);
        const keep = (key: string, value: unknown, size: number) => {
          if (inSync) fill.keep(key, value, { epoch, size, ttlMs: kind.ttlMs });
        };
        const missing = new Map<string, string>();
        ids.forEach((id, index) => {
          const value = values[index];
          const mark = marks[index] ?? changing;
          if (value !== undefined) {
            found.set(id, value as V);
            keep(keys[index] ?? '', value, sizes[index] ?? 0);
          } else {
            missing.set(id, mark);
            if (mark === changing) doNotCache();
          }
        });
        if (missing.size === 0) return 0;
        const loaded = await load([...missing.keys()]);
        const entries = [...loaded].map(
          ([id, value]) => [cacheKey(kind, id), missing.get(id) ?? changing, value] as const,
        );
        const kept = store(epoch, at, kind.ttlMs, entries);
        for (const [key, , value] of entries) {
          const size = kept.get(key);
          if (size !== undefined) keep(key, value, size);
        }
        for (const [id, value] of loaded) found.set(id, value);
        return missing.size;
      } finally {
        fill.end();
      }
    }

    async function patch<T>(known: Derived, patching?: Patching<T>): Promise<T | undefined> {
      if (!patching || !known.patching) return undefined;
      const { version } = known;
      const ids = [...known.patching.staleKeys].map((key) => key.slice(cacheKey(patching.kind, '').length));
      // Only detects whether a value read is being changed. The derived value itself already watches these keys.
      const seen = derivedValues.begin(known.key);
      try {
        const value = await patching.patch(known.value as T, ids, readingFor(inSync, seen));
        if (seen.uncacheable) doNotCache();
        else if (value !== undefined) derivedValues.keepPatched(known, version, value);
        return value;
      } finally {
        derivedValues.abandon(seen);
      }
    }

    return {
      read,
      doNotCache,
      peek: async <V>(kind: CacheKind<V>, id: string) => (await read(kind, [id], loadNothing<V>)).get(id),
      async derive<T>(key: string, compute: Compute<T>, patching?: Patching<T>) {
        watch(key);
        const known = inSync ? derivedValues.find(key) : undefined;
        if (known) {
          const value = known.patching?.staleKeys.size ? await patch(known, patching) : (known.value as T);
          if (value !== undefined) {
            for (const [cache, reads] of known.reads) hits.count(cache, reads, 0);
            countPart(known);
            return value;
          }
          derivedValues.drop(known);
        }
        const fresh = derivedValues.begin(key, patching && cacheKey(patching.kind, ''));
        try {
          const { value, bytes } = await compute(readingFor(inSync, fresh));
          if (!derivedValues.keep(fresh, value, bytes)) doNotCache();
          countPart(fresh);
          return value;
        } finally {
          derivedValues.abandon(fresh);
        }
      },
    };
  }

  /** Copies values from Redis that are not in memory. */
  async function fetch(wanted: Wanted): Promise<void> {
    const missing = wanted
      .map(([kind, id]) => ({ kind, key: cacheKey(kind, id) }))
      .filter(({ key }) => memory.find(key) === undefined);
    if (missing.length === 0) return;
    const keys = missing.map(({ key }) => key);
    const fill = memory.startFill(keys);
    try {
      const { values, sizes, epoch } = await lookUp(keys);
      missing.forEach(({ kind, key }, index) => {
        const value = values[index];
        const size = sizes[index] ?? 0;
        if (value !== undefined) fill.keep(key, value, { epoch, size, ttlMs: kind.ttlMs });
      });
    } finally {
      fill.end();
    }
  }

  return async (prefetch = []) => {
    // Both take one round trip. A change that arrives in between invalidates the values fetched before it.
    const [inSync] = await Promise.all([memory.catchUp(), fetch(prefetch)]);
    return readingFor(inSync);
  };
}

const loadNothing = async <V>() => new Map<string, V>();
