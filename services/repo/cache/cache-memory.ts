import { randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { luaScript, type RedisStore } from '../storage/redis.ts';

const changesScript = luaScript(import.meta.url, 'cache-changes');
const maxBytes = 96 * 1024 * 1024;

export const epochKey = 'cache:epoch';
/** The Redis keys of the scripts that write or read the list of changes. */
export const changeKeys = [epochKey, 'cache:changes', 'cache:changes:count'] as const;
/** The length of the list of changes. A reader that is further behind drops its whole memory. */
export const keptChanges = 20_000;

/** Makes a new unique epoch. The final colon ensures that no epoch is a prefix of another one. */
export const newEpoch = (): string => {
  epochCount += 1;
  return `${processPrefix}${epochCount.toString(36)}:`;
};

// Epochs are counted because new random bytes per cache lookup took 2 % of the time of a list that changed.
const processPrefix = randomBytes(6).toString('base64url');
let epochCount = 0;

export type CacheMemory = {
  /**
   * Applies every change that was recorded before this call. Afterwards the values in memory are as new as those in
   * Redis. Resolves to false if Redis is not reachable: the values in memory may be stale then and must not be used.
   */
  catchUp(): Promise<boolean>;
  find(key: string): unknown;
  /** Must be called before the values are read elsewhere. A value can then be kept unless its key changes meanwhile. */
  startFill(keys: readonly string[]): Fill;
  /** Registers a listener for changed keys. Undefined means that any key may have changed. */
  onChange(listener: (key: string | undefined) => void): void;
};

export type Fill = {
  /** `epoch` is the epoch in which the value was read, `size` is the length of its JSON text. */
  keep(key: string, value: unknown, kept: { epoch: string; size: number; ttlMs: number }): void;
  end(): void;
};

/**
 * Cached values in the memory of this process. Before a writer commits, it appends the keys that it will change to a
 * list in Redis. A reader fetches the keys added since its last fetch and drops their values. It may then use all other
 * values without fetching them. Concurrent callers share one small round trip.
 */
export function createCacheMemory(redis: Pick<RedisStore, 'run'>): CacheMemory {
  const values = new LRUCache<string, { value: unknown; size: number }>({
    maxSize: maxBytes,
    sizeCalculation: ({ size }, key) => 200 + 3 * size + key.length,
  });
  /** The latest fill per key. A change of the key removes the entry, so a fill can't keep a stale value. */
  const fills = new Map<string, object>();
  const listeners: ((key: string | undefined) => void)[] = [];
  let epoch = '';
  let seenChanges = 0;
  let inFlight: Promise<boolean> | undefined;
  let queued: Promise<boolean> | undefined;

  async function ask(): Promise<boolean> {
    const reply = (await redis.run(changesScript, changeKeys, [newEpoch(), epoch, seenChanges])) as
      | [string, number, string[]?]
      | undefined;
    if (!reply) return false;
    const [nowEpoch, number, changed] = reply;
    epoch = nowEpoch;
    seenChanges = number;
    if (changed) for (const key of changed) forget(key);
    else forgetAll();
    return true;
  }

  function forget(key: string): void {
    values.delete(key);
    fills.delete(key);
    for (const listener of listeners) listener(key);
  }

  function forgetAll(): void {
    values.clear();
    fills.clear();
    for (const listener of listeners) listener(undefined);
  }

  function begin(): Promise<boolean> {
    queued = undefined;
    const asked = ask().finally(() => {
      if (inFlight === asked) inFlight = undefined;
    });
    inFlight = asked;
    return asked;
  }

  return {
    catchUp() {
      if (!inFlight) return begin();
      // The request in flight may have been answered before a change that this caller has to see.
      queued ??= inFlight.then(begin);
      return queued;
    },
    find: (key) => values.get(key)?.value,
    startFill(keys) {
      const token = {};
      for (const key of keys) fills.set(key, token);
      return {
        keep(key, value, kept) {
          if (kept.epoch !== epoch || fills.get(key) !== token) return;
          values.set(key, { value, size: kept.size }, { ttl: kept.ttlMs });
        },
        end() {
          for (const key of keys) if (fills.get(key) === token) fills.delete(key);
        },
      };
    },
    onChange: (listener) => void listeners.push(listener),
  };
}
