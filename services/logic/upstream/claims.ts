import type { Item } from './item.ts';

export type PartitionOffset = { partition: number; offset: number };

export type Claims = {
  /**
   * Takes over an assignment. What this process keeps goes on where it is: the answer says from where. Unless
   * `continuous`, others may have worked on the kept partitions meanwhile, so all of them start at what is committed.
   */
  assign(partitions: readonly number[], continuous: boolean): PartitionOffset[];
  /** Names the present holding of a partition; undefined while it isn't held. */
  of(partition: number): number | undefined;
  /** Whether the partition has been held without a break since the item was fetched. */
  holds(item: Item): boolean;
  /** The last offset that was queued: fetching goes on behind it. */
  queued(partition: number, offset: number): void;
  /** Processed to the end, in the order of each partition. */
  acknowledge(items: readonly Item[]): void;
  /** Offsets to commit (the next one to be read), and afterwards what was committed. */
  uncommitted(): PartitionOffset[];
  committed(offsets: readonly PartitionOffset[]): void;
};

type Claim = { id: number; next: number | undefined; acknowledged: number; committed: number };

/**
 * Which partitions this process holds and how far it is in each. Items are processed in the order in which they were
 * queued, so one number a partition says what is done without gaps.
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
        if (!claim) claims.set(partition, { id: ++lastId, next: undefined, acknowledged: -1, committed: -1 });
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
    acknowledge(items) {
      for (const { partition, claim: id, offset } of items) {
        const claim = claims.get(partition);
        if (claim?.id === id && offset >= claim.acknowledged) claim.acknowledged = offset + 1;
      }
    },
    uncommitted: () =>
      Array.from(claims)
        .filter(([, claim]) => claim.acknowledged > claim.committed)
        .map(([partition, claim]) => ({ partition, offset: claim.acknowledged })),
    committed(offsets) {
      for (const { partition, offset } of offsets) {
        const claim = claims.get(partition);
        if (claim) claim.committed = Math.max(claim.committed, offset);
      }
    },
  };
}
