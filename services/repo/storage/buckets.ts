/** Conversations are spread over databases by buckets: a bucket is what moves from one database to another. */
export const bucketCount = 1024;

/**
 * The bucket of an id. It never changes, so this function must not change either. Ids are time-ordered: the factors
 * spread neighbouring ones over all buckets (murmur3's finalizer).
 */
export function bucketOf(id: number): number {
  let hash = (id >>> 0) ^ Math.imul(Math.floor(id / 2 ** 32), 0x9e3779b1);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) % bucketCount;
}

/** The name of the database that has each bucket, by bucket. */
export type Placement = readonly string[];

/** Neighbouring buckets stay together, so that the map is short to read. */
export const spreadEvenly = (names: readonly string[]): Placement =>
  Array.from(
    { length: bucketCount },
    (_, bucket) => names[Math.floor((bucket * names.length) / bucketCount)] ?? '',
  );
