/** A kind of cached value. Its keys are `{name}:{id}`. Values are JSON and shared between readers: never mutate one. */
export type CacheKind<V> = { readonly name: string; readonly ttlMs: number; readonly value?: V };

export const cacheKind = <V>(name: string, ttlMs: number): CacheKind<V> => ({ name, ttlMs });

export const cacheKey = (kind: CacheKind<unknown>, id: string): string => `${kind.name}:${id}`;
