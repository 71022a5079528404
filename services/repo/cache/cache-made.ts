import { LRUCache } from 'lru-cache';

const mostBytes = 128 * 1024 * 1024;
/** About what it takes to know that one value hangs on another. */
const bytesPerWatch = 200;
const keptMs = 10 * 60_000;

/** A value that is being made of others, or was. */
export type Made = {
  readonly key: string;
  readonly watched: Set<string>;
  /** Values read, by the name of their cache. */
  readonly reads: Map<string, number>;
  /** Something that it is made of may be changing right now. */
  unsettled: boolean;
  state: 'making' | 'kept' | 'gone';
  /** Of a value that can be mended: what its keys begin with, and those of them that changed since. */
  readonly mending: { prefix: string; stale: Set<string> } | undefined;
  /** Counts changes of the value and of what is stale. */
  version: number;
  value: unknown;
  bytes: number;
};

export type MadeValues = ReturnType<typeof createMadeValues>;

/**
 * What was made of cached values, kept until one of them changes. To be right, a value must watch a key before it reads
 * it; and one that is made of another made one watches that one's key. A large value that one change touches only
 * here and there is mended: it stays, and what changed is noted.
 */
export function createMadeValues() {
  const watchers = new Map<string, Set<Made>>();
  const kept = new LRUCache<string, Made>({
    maxSize: mostBytes,
    ttl: keptMs,
    sizeCalculation: ({ key, bytes, watched }) => 400 + key.length + bytes + bytesPerWatch * watched.size,
    disposeAfter: (made) => drop(made),
  });

  function watch(made: Made, key: string): void {
    if (made.state !== 'making' || made.watched.has(key)) return;
    made.watched.add(key);
    const some = watchers.get(key);
    if (some) some.add(made);
    else watchers.set(key, new Set([made]));
  }

  function unwatch(made: Made): void {
    for (const key of made.watched) {
      const some = watchers.get(key);
      some?.delete(made);
      if (some?.size === 0) watchers.delete(key);
    }
  }

  /** Forgets it and what was made of it. */
  function drop(made: Made): void {
    if (made.state === 'gone') return;
    const wasKept = made.state === 'kept';
    made.state = 'gone';
    unwatch(made);
    if (wasKept) kept.delete(made.key);
    changed(made.key);
  }

  function changed(key: string): void {
    const some = watchers.get(key);
    if (!some) return;
    for (const made of [...some]) {
      if (made.state !== 'kept' || !made.mending || !key.startsWith(made.mending.prefix)) drop(made);
      else {
        made.mending.stale.add(key);
        made.version += 1;
        changed(made.key);
      }
    }
  }

  return {
    find: (key: string): Made | undefined => kept.get(key),
    /** One whose keys of a prefix may change can be mended instead of made anew. */
    begin: (key: string, mendable?: string): Made => ({
      key,
      mending: mendable === undefined ? undefined : { prefix: mendable, stale: new Set() },
      version: 0,
      watched: new Set(),
      reads: new Map(),
      unsettled: false,
      state: 'making',
      value: undefined,
      bytes: 0,
    }),
    watch,
    drop,
    /** False when something changed meanwhile. */
    keep(made: Made, value: unknown, bytes: number): boolean {
      if (made.state === 'gone') return false;
      if (made.unsettled || kept.has(made.key)) {
        made.state = 'gone';
        unwatch(made);
        return !made.unsettled;
      }
      Object.assign(made, { state: 'kept', value, bytes });
      kept.set(made.key, made);
      return true;
    },
    /** Keeps what was mended of a value as it was at a version; not if more changed meanwhile. */
    mended(made: Made, version: number, value: unknown): void {
      if (made.state !== 'kept' || made.version !== version) return;
      made.value = value;
      made.version += 1;
      made.mending?.stale.clear();
    },
    abandon(made: Made): void {
      if (made.state !== 'making') return;
      made.state = 'gone';
      unwatch(made);
    },
    /** Undefined: everything may have changed. */
    changed(key: string | undefined): void {
      if (key !== undefined) {
        changed(key);
        return;
      }
      for (const some of [...watchers.values()]) for (const made of [...some]) drop(made);
      kept.clear();
    },
  };
}
