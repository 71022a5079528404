import { randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { luaScript, type RedisStore } from '../storage/redis.ts';

const changesScript = luaScript(import.meta.url, 'cache-changes');
const mostBytes = 96 * 1024 * 1024;

export const epochKey = 'cache:epoch';
/** What the scripts that tell or hear of changes work on. */
export const changeKeys = [epochKey, 'cache:changes', 'cache:changes:count'] as const;
/** Whoever is further behind forgets everything. */
export const keptChanges = 20_000;

/** One that nobody had before. The colon ends it: no epoch may begin with another one. */
export const newEpoch = (): string => {
  epochs += 1;
  return `${own}${epochs.toString(36)}:`;
};

// A number each time: random bytes for every look at the cache took 2 % of a list that changed.
const own = randomBytes(6).toString('base64url');
let epochs = 0;

export type CacheMemory = {
  /**
   * Resolves when every change that was told before this call is known here: what is found afterwards is as new as what
   * Redis has. False: Redis can't be asked, and nothing found here may be used.
   */
  hear(): Promise<boolean>;
  find(key: string): unknown;
  /** To be called before a value is looked for anywhere else: it can be kept unless the key changes meanwhile. */
  expect(keys: readonly string[]): Expected;
  /** Told each changed key; undefined: everything may have changed. */
  onChange(listener: (key: string | undefined) => void): void;
};

export type Expected = {
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
    maxSize: mostBytes,
    sizeCalculation: ({ size }, key) => 200 + 3 * size + key.length,
  });
  /** Who is looking for a value of the key and was not overtaken by a change. */
  const expected = new Map<string, object>();
  const listeners: ((key: string | undefined) => void)[] = [];
  let epoch = '';
  let heard = 0;
  let underWay: Promise<boolean> | undefined;
  let following: Promise<boolean> | undefined;

  async function ask(): Promise<boolean> {
    const reply = (await redis.run(changesScript, changeKeys, [newEpoch(), epoch, heard])) as
      | [string, number, string[]?]
      | undefined;
    if (!reply) return false;
    const [nowEpoch, number, changed] = reply;
    epoch = nowEpoch;
    heard = number;
    if (changed) for (const key of changed) forget(key);
    else forgetAll();
    return true;
  }

  function forget(key: string): void {
    values.delete(key);
    expected.delete(key);
    for (const listener of listeners) listener(key);
  }

  function forgetAll(): void {
    values.clear();
    expected.clear();
    for (const listener of listeners) listener(undefined);
  }

  function begin(): Promise<boolean> {
    following = undefined;
    const asked = ask().finally(() => {
      if (underWay === asked) underWay = undefined;
    });
    underWay = asked;
    return asked;
  }

  return {
    hear() {
      if (!underWay) return begin();
      // The one under way may have been answered before the change that this caller has to see.
      following ??= underWay.then(begin);
      return following;
    },
    find: (key) => values.get(key)?.value,
    expect(keys) {
      const token = {};
      for (const key of keys) expected.set(key, token);
      return {
        keep(key, value, kept) {
          if (kept.epoch !== epoch || expected.get(key) !== token) return;
          values.set(key, { value, size: kept.size }, { ttl: kept.ttlMs });
        },
        end() {
          for (const key of keys) if (expected.get(key) === token) expected.delete(key);
        },
      };
    },
    onChange: (listener) => void listeners.push(listener),
  };
}
