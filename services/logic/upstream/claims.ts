import type { Item } from './item.ts';

export type PartitionOffset = { partition: number; offset: number };

export type Claims = {
  /**
   * Applies a new assignment. Answers the offsets at which fetching continues in the partitions that this process
   * keeps. If not `continuous`, another process may have consumed the kept partitions meanwhile, so all partitions
   * start at their committed offsets.
   */
  assign(partitions: readonly number[], continuous: boolean): PartitionOffset[];
  /** The id of the current claim of a partition; undefined if this process does not hold the partition. */
  of(partition: number): number | undefined;
  /** True if this process has held the item's partition without a break since the item was fetched. */
  holds(item: Item): boolean;
  /** Records the last offset that was queued: fetching continues after it. */
  queued(partition: number, offset: number): void;
  /** Takes items out of the order of their partitions: they are processed later than items after them. */
  defer(items: readonly Item[]): void;
  /** Marks items as processed. Must be called in the order of each partition, but for deferred items. */
  acknowledge(items: readonly Item[]): void;
  /** The offsets to commit: for each partition the next offset to be read. */
  uncommitted(): PartitionOffset[];
  /** Records which offsets were committed. */
  committed(offsets: readonly PartitionOffset[]): void;
};

type Claim = {
  id: number;
  next: number | undefined;
  acknowledged: number;
  deferred: Set<number>;
  committed: number;
};

/**
 * The partitions that this process holds, and its progress in each. Items are processed in the order in which they were
 * queued, so one offset per partition is enough to describe what is done, and the offsets of the deferred ones. The
 * offset that is committed is never beyond a deferred item: another process would not see it.
 */
export function createClaims(): Claims {
  const claims = new Map<number, Claim>();
  let lastId = 0;

  return {
    assign(partitions, continuous) {
      const kept: PartitionOffset[] = [];
      for (const partition of claims.keys()) {
        if (!continuous || !partitions.includes(partition)) claims.delete(partition);
      }
      for (const partition of partitions) {
        const claim = claims.get(partition);
        if (!claim)
          claims.set(partition, {
            id: ++lastId,
            next: undefined,
            acknowledged: -1,
            deferred: new Set(),
            committed: -1,
          });
        else if (claim.next !== undefined) kept.push({ partition, offset: claim.next });
      }
      return kept;
    },
    of: (partition) => claims.get(partition)?.id,
    holds: ({ partition, claim }) => claims.get(partition)?.id === claim,
    queued(partition, offset) {
      const claim = claims.get(partition);
      if (claim) claim.next = offset + 1;
    },
    defer(items) {
      for (const { partition, claim: id, offset } of items) {
        const claim = claims.get(partition);
        if (claim?.id === id) claim.deferred.add(offset);
      }
    },
    acknowledge(items) {
      for (const { partition, claim: id, offset } of items) {
        const claim = claims.get(partition);
        if (claim?.id !== id) continue;
        if (claim.deferred.size > 0) claim.deferred.delete(offset);
        if (offset >= claim.acknowledged) claim.acknowledged = offset + 1;
      }
    },
    uncommitted: () =>
      Array.from(claims, ([partition, claim]) => ({ partition, offset: doneUpTo(claim), claim }))
        .filter(({ offset, claim }) => offset > claim.committed)
        .map(({ partition, offset }) => ({ partition, offset })),
    committed(offsets) {
      for (const { partition, offset } of offsets) {
        const claim = claims.get(partition);
        if (claim) claim.committed = Math.max(claim.committed, offset);
      }
    },
  };
}

function doneUpTo({ acknowledged, deferred }: Claim): number {
  let done = acknowledged;
  for (const offset of deferred) done = Math.min(done, offset);
  return done;
}
