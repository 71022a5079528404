import { createRequire } from 'node:module';

type Batch = { isEmpty(): boolean; isEmptyDueToFiltering(): boolean };
type ConsumerGroup = { fetch(nodeId: string): Promise<Batch[]> };

/**
 * The broker answers every fetch with all partitions, most of which have no new records. kafkajs (2.2.4) creates a
 * batch for each and processes it before it finds that the batch is empty, which is a large part of the cost of a
 * fetch. kafkajs has no setting for this, so this patch removes empty batches for every consumer of the process. The
 * version of kafkajs is pinned.
 */
const { prototype }: { prototype: ConsumerGroup } = createRequire(import.meta.url)(
  'kafkajs/src/consumer/consumerGroup.js',
);
const fetchAll = prototype.fetch;
prototype.fetch = async function (this: ConsumerGroup, nodeId) {
  const batches = await fetchAll.call(this, nodeId);
  return batches.filter((batch) => !batch.isEmpty() || batch.isEmptyDueToFiltering());
};
