import { LRUCache } from 'lru-cache';

const maxBytes = 128 * 1024 * 1024;
/** The approximate memory for one watched key. */
const bytesPerWatch = 200;
const keptMs = 10 * 60_000;

/** A value that is or was computed from other values. */
export type Derived = {
  readonly key: string;
  /** The keys that the value was computed from. */
  readonly watched: Set<string>;
  /** The number of values read for it, by the name of their cache. */
  readonly reads: Map<string, number>;
  /** True if a value that was read for it may be changing right now. */
  uncacheable: boolean;
  state: 'computing' | 'kept' | 'gone';
  /** For a value that can be patched: the prefix of the keys that may change, and the keys that have changed. */
  readonly patching: { prefix: string; staleKeys: Set<string> } | undefined;
  /** Counts changes of `value` and of `staleKeys`. */
  version: number;
  value: unknown;
  bytes: number;
};

export type DerivedValues = ReturnType<typeof createDerivedValues>;

/**
 * Keeps derived values in memory until one of the values that they were computed from changes. A derived value must
 * watch a key before the key is read. If it is computed from another derived value, it must watch that value's key. A
 * large value of which a change affects only a small part can be patched: it stays, and its stale keys are collected.
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

  /** Removes the value, and every value that was computed from it. */
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
    /** Begins a computation. A change of a key with `patchablePrefix` makes the value stale instead of removing it. */
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
    /** Keeps the computed value. Returns false if a value that it was computed from has changed or may be changing. */
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
    /** Replaces the value by its patched one, unless it has changed since the patch began at `version`. */
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
    /** Handles the change of a key. Undefined means that any key may have changed. */
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
