import { createRequire } from 'node:module';

type Batch = { isEmpty(): boolean; isEmptyDueToFiltering(): boolean };
type ConsumerGroup = { fetch(nodeId: string): Promise<Batch[]> };

/**
 * The broker answers every fetch with all partitions, most of which have nothing new. kafkajs (2.2.4) makes a batch of
 * each and takes it through all that is done with a batch, only to find that it is empty: a large
 * part of what a fetch costs. It has no setting for it, so the empty ones are left out here, for every consumer of the
 * process; its version is pinned.
 */
const { prototype }: { prototype: ConsumerGroup } = createRequire(import.meta.url)(
  'kafkajs/src/consumer/consumerGroup.js',
);
const fetchAll = prototype.fetch;
prototype.fetch = async function (this: ConsumerGroup, nodeId) {
  const batches = await fetchAll.call(this, nodeId);
  return batches.filter((batch) => !batch.isEmpty() || batch.isEmptyDueToFiltering());
};
