import { LRUCache } from 'lru-cache';

const maxBytes = 128 * 1024 * 1024;
/** About what it takes to know that one value hangs on another. */
const bytesPerWatch = 200;
const keptMs = 10 * 60_000;

/** A value that is being made of others, or was. */
export type Derived = {
  readonly key: string;
  readonly watched: Set<string>;
  /** Values read, by the name of their cache. */
  readonly reads: Map<string, number>;
  /** Something that it is made of may be changing right now. */
  uncacheable: boolean;
  state: 'computing' | 'kept' | 'gone';
  /** Of a value that can be mended: what its keys begin with, and those of them that changed since. */
  readonly patching: { prefix: string; staleKeys: Set<string> } | undefined;
  /** Counts changes of the value and of what is stale. */
  version: number;
  value: unknown;
  bytes: number;
};

export type DerivedValues = ReturnType<typeof createDerivedValues>;

/**
 * What was made of cached values, kept until one of them changes. To be right, a value must watch a key before it reads
 * it; and one that is made of another derived one watches that one's key. A large value that one change touches only
 * here and there is mended: it stays, and what changed is noted.
 */
export function createDerivedValues() {
  const watchers = new Map<string, Set<Derived>>();
  const kept = new LRUCache<string, Derived>({
    maxSize: maxBytes,
    ttl: keptMs,
    sizeCalculation: ({ key, bytes, watched }) => 400 + key.length + bytes + bytesPerWatch * watched.size,
    disposeAfter: (derived) => drop(derived),
  });

  function watch(derived: Derived, key: string): void {
    if (derived.state !== 'computing' || derived.watched.has(key)) return;
    derived.watched.add(key);
    const watching = watchers.get(key);
    if (watching) watching.add(derived);
    else watchers.set(key, new Set([derived]));
  }

  function unwatch(derived: Derived): void {
    for (const key of derived.watched) {
      const watching = watchers.get(key);
      watching?.delete(derived);
      if (watching?.size === 0) watchers.delete(key);
    }
  }

  /** Forgets it and what was made of it. */
  function drop(derived: Derived): void {
    if (derived.state === 'gone') return;
    const wasKept = derived.state === 'kept';
    derived.state = 'gone';
    unwatch(derived);
    if (wasKept) kept.delete(derived.key);
    changed(derived.key);
  }

  function changed(key: string): void {
    const watching = watchers.get(key);
    if (!watching) return;
    for (const derived of [...watching]) {
      if (derived.state !== 'kept' || !derived.patching || !key.startsWith(derived.patching.prefix))
        drop(derived);
      else {
        derived.patching.staleKeys.add(key);
        derived.version += 1;
        changed(derived.key);
      }
    }
  }

  return {
    find: (key: string): Derived | undefined => kept.get(key),
    /** One whose keys of a prefix may change can be mended instead of made anew. */
    begin: (key: string, patchablePrefix?: string): Derived => ({
      key,
      patching: patchablePrefix === undefined ? undefined : { prefix: patchablePrefix, staleKeys: new Set() },
      version: 0,
      watched: new Set(),
      reads: new Map(),
      uncacheable: false,
      state: 'computing',
      value: undefined,
      bytes: 0,
    }),
    watch,
    drop,
    /** False when something changed meanwhile. */
    keep(derived: Derived, value: unknown, bytes: number): boolean {
      if (derived.state === 'gone') return false;
      if (derived.uncacheable || kept.has(derived.key)) {
        derived.state = 'gone';
        unwatch(derived);
        return !derived.uncacheable;
      }
      Object.assign(derived, { state: 'kept', value, bytes });
      kept.set(derived.key, derived);
      return true;
    },
    /** Keeps what was mended of a value as it was at a version; not if more changed meanwhile. */
    keepPatched(derived: Derived, version: number, value: unknown): void {
      if (derived.state !== 'kept' || derived.version !== version) return;
      derived.value = value;
      derived.version += 1;
      derived.patching?.staleKeys.clear();
    },
    abandon(derived: Derived): void {
      if (derived.state !== 'computing') return;
      derived.state = 'gone';
      unwatch(derived);
    },
    /** Undefined: everything may have changed. */
    changed(key: string | undefined): void {
      if (key !== undefined) {
        changed(key);
        return;
      }
      for (const watching of [...watchers.values()]) for (const derived of [...watching]) drop(derived);
      kept.clear();
    },
  };
}
