import { randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { luaScript, type RedisStore } from '../storage/redis.ts';

const changesScript = luaScript(import.meta.url, 'cache-changes');
const maxBytes = 96 * 1024 * 1024;

export const epochKey = 'cache:epoch';
/** What the scripts that tell or hear of changes work on. */
export const changeKeys = [epochKey, 'cache:changes', 'cache:changes:count'] as const;
/** Whoever is further behind forgets everything. */
export const keptChanges = 20_000;

/** One that nobody had before. The colon ends it: no epoch may begin with another one. */
export const newEpoch = (): string => {
  epochCount += 1;
  return `${processPrefix}${epochCount.toString(36)}:`;
};

// A number each time: random bytes for every look at the cache took 2 % of a list that changed.
const processPrefix = randomBytes(6).toString('base64url');
let epochCount = 0;

export type CacheMemory = {
  /**
   * Resolves when every change that was told before this call is known here: what is found afterwards is as new as what
   * Redis has. False: Redis can't be asked, and nothing found here may be used.
   */
  catchUp(): Promise<boolean>;
  find(key: string): unknown;
  /** To be called before a value is looked for anywhere else: it can be kept unless the key changes meanwhile. */
  startFill(keys: readonly string[]): Fill;
  /** Told each changed key; undefined: everything may have changed. */
  onChange(listener: (key: string | undefined) => void): void;
};

export type Fill = {
  /** `epoch` is the one that the value was seen in, `size` the length of its text. */
  keep(key: string, value: unknown, kept: { epoch: string; size: number; ttlMs: number }): void;
  end(): void;
};

/**
 * Cached values in this process. Each writer adds the keys that it is about to change to a list in Redis, before it
 * commits; a reader asks for what was added since it asked last, forgets that, and may then use all the rest without
 * fetching it: one tiny round trip for all the callers of a moment.
 */
export function createCacheMemory(redis: Pick<RedisStore, 'run'>): CacheMemory {
  const values = new LRUCache<string, { value: unknown; size: number }>({
    maxSize: maxBytes,
    sizeCalculation: ({ size }, key) => 200 + 3 * size + key.length,
  });
  /** Who is looking for a value of the key and was not overtaken by a change. */
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
      // The one under way may have been answered before the change that this caller has to see.
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
