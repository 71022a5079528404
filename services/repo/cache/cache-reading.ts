import type { HitRatio } from './cache-hits.ts';
import { type CacheKind, cacheKey } from './cache-keys.ts';
import { createMadeValues, type Made } from './cache-made.ts';
import type { CacheMemory } from './cache-memory.ts';

export type Reading = {
  /** As `Cache.read`. */
  read<V>(
    kind: CacheKind<V>,
    ids: readonly string[],
    load: (missing: string[]) => Promise<ReadonlyMap<string, V>>,
  ): Promise<Map<string, V>>;
  /** Only if it is cached. */
  peek<V>(kind: CacheKind<V>, id: string): Promise<V | undefined>;
  /**
   * What `make` makes out of what it reads through the reading that it is given, kept until any of that changes.
   * `bytes` is about what it takes. With `mending`, changes of one kind of values do not end it.
   */
  made<T>(key: string, make: Make<T>, mending?: Mending<T>): Promise<T>;
  /** What is made of this must not be kept. */
  unsettle(): void;
};

export type Wanted = readonly (readonly [CacheKind<unknown>, string])[];

export type Make<T> = (reading: Reading) => Promise<{ value: T; bytes: number }>;

export type Mending<T> = {
  kind: CacheKind<unknown>;
  /** The value after these ids of the kind changed; it must not change the old one. Undefined: make it anew. */
  mend(old: T, ids: string[], reading: Reading): Promise<T | undefined>;
};

/** What is cached of some keys: values in their order (undefined: missing), and for each how to store it. */
export type Look = { values: unknown[]; sizes: number[]; marks: string[]; epoch: string; at: number };

/** Stores [key, its mark, value] where nobody is changing it. Answers the lengths of those that may be kept. */
export type StoreEntries = (
  epoch: string,
  at: number,
  ttlMs: number,
  entries: readonly (readonly [string, string, unknown])[],
) => ReadonlyMap<string, number>;

/** The mark of a key that somebody may be changing right now. */
export const changing = '!';

/** Reads out of memory what nobody changed, and the rest from Redis or where it is stored. */
export function createReadings(deps: {
  memory: CacheMemory;
  look: (keys: readonly string[]) => Promise<Look>;
  store: StoreEntries;
  hits: HitRatio;
}): (soon?: Wanted) => Promise<Reading> {
  const { memory, look, store, hits } = deps;
  const madeValues = createMadeValues();
  memory.onChange(madeValues.changed);

  /** `live`: what is in memory may be used, and kept there. `making`: what is being made of what is read. */
  function readingFor(live: boolean, making?: Made): Reading {
    const watch = (key: string) => {
      if (making) madeValues.watch(making, key);
    };
    const unsettle = () => {
      if (making) making.unsettled = true;
    };
    const noteReads = (cache: string, count: number) => {
      if (making) making.reads.set(cache, (making.reads.get(cache) ?? 0) + count);
    };
    /** Whoever finds the whole found its parts too; each counts once, since a part may be made of thousands. */
    const notePart = (part: Made) => {
      for (const cache of part.reads.keys()) noteReads(cache, 1);
    };

    async function read<V>(
      kind: CacheKind<V>,
      ids: readonly string[],
      load: (missing: string[]) => Promise<ReadonlyMap<string, V>>,
    ): Promise<Map<string, V>> {
      const found = new Map<string, V>();
      const elsewhere: string[] = [];
      for (const id of ids) {
        const key = cacheKey(kind, id);
        watch(key);
        const value = live ? memory.find(key) : undefined;
        if (value === undefined) elsewhere.push(id);
        else found.set(id, value as V);
      }
      const missing = elsewhere.length === 0 ? 0 : await readElsewhere(kind, elsewhere, found, load);
      const hit = ids.length - missing;
      hits.count(kind.name, hit, missing);
      noteReads(kind.name, ids.length);
      return found;
    }

    /** Adds to `found`. Answers how many were not in Redis either. */
    async function readElsewhere<V>(
      kind: CacheKind<V>,
      ids: readonly string[],
      found: Map<string, V>,
      load: (missing: string[]) => Promise<ReadonlyMap<string, V>>,
    ): Promise<number> {
      const keys = ids.map((id) => cacheKey(kind, id));
      const expected = memory.expect(keys);
      try {
        const { values, sizes, marks, epoch, at } = await look(keys);
        const keep = (key: string, value: unknown, size: number) => {
          if (live) expected.keep(key, value, { epoch, size, ttlMs: kind.ttlMs });
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
            if (mark === changing) unsettle();
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
        expected.end();
      }
    }

    async function mended<T>(known: Made, mending?: Mending<T>): Promise<T | undefined> {
      if (!mending || !known.mending) return undefined;
      const { version } = known;
      const ids = [...known.mending.stale].map((key) => key.slice(cacheKey(mending.kind, '').length));
      // Only to know whether what is read is settled: the value itself watches these keys.
      const seen = madeValues.begin(known.key);
      try {
        const value = await mending.mend(known.value as T, ids, readingFor(live, seen));
        if (seen.unsettled) unsettle();
        else if (value !== undefined) madeValues.mended(known, version, value);
        return value;
      } finally {
        madeValues.abandon(seen);
      }
    }

    return {
      read,
      unsettle,
      peek: async <V>(kind: CacheKind<V>, id: string) => (await read(kind, [id], nothing<V>)).get(id),
      async made<T>(key: string, make: Make<T>, mending?: Mending<T>) {
        watch(key);
        const known = live ? madeValues.find(key) : undefined;
        if (known) {
          const value = known.mending?.stale.size ? await mended(known, mending) : (known.value as T);
          if (value !== undefined) {
            for (const [cache, reads] of known.reads) hits.count(cache, reads, 0);
            notePart(known);
            return value;
          }
          madeValues.drop(known);
        }
        const fresh = madeValues.begin(key, mending && cacheKey(mending.kind, ''));
        try {
          const { value, bytes } = await make(readingFor(live, fresh));
          if (!madeValues.keep(fresh, value, bytes)) unsettle();
          notePart(fresh);
          return value;
        } finally {
          madeValues.abandon(fresh);
        }
      },
    };
  }

  /** Keeps what Redis has of values that are not in memory. */
  async function fetch(wanted: Wanted): Promise<void> {
    const missing = wanted
      .map(([kind, id]) => ({ kind, key: cacheKey(kind, id) }))
      .filter(({ key }) => memory.find(key) === undefined);
    if (missing.length === 0) return;
    const keys = missing.map(({ key }) => key);
    const expected = memory.expect(keys);
    try {
      const { values, sizes, epoch } = await look(keys);
      missing.forEach(({ kind, key }, index) => {
        const value = values[index];
        const size = sizes[index] ?? 0;
        if (value !== undefined) expected.keep(key, value, { epoch, size, ttlMs: kind.ttlMs });
      });
    } finally {
      expected.end();
    }
  }

  return async (soon = []) => {
    // In one trip: a change that is heard of meanwhile takes away what was fetched before it.
    const [live] = await Promise.all([memory.hear(), fetch(soon)]);
    return readingFor(live);
  };
}

const nothing = async <V>() => new Map<string, V>();
