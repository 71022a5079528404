// Room: the hot path: messages from Kafka stored in batches, acknowledged and sent downstream. Nothing that waits
// for a person or a flow may come in.

import type { KafkaConnection } from '../../../lib/kafka/kafka.ts';
import { topics } from '../../../lib/kafka/topics.ts';
import type { Logger } from '../../../lib/log.ts';
import type { Metrics } from '../../../lib/metrics.ts';
import { createClaims } from './claims.ts';
import { readItem } from './item.ts';
import type { Producing } from './producing.ts';
import { createQueue } from './queue.ts';
import { createSave, type SavingMessages } from './save.ts';
import { startSaveLoop } from './save-loop.ts';
import { createUpstreamMetrics } from './upstream-metrics.ts';

export type Upstream = {
  /** True while this process is a member of the group. */
  isConsuming(): boolean;
  /** Stores and delivers what was fetched, commits, and leaves the group. */
  stop(): Promise<void>;
};

const commitEveryMs = 500;
const drainDeadlineMs = 15_000;
const bounds = {
  maxItems: 5000,
  maxBytes: 16 * 1024 * 1024,
  takeItems: 1000,
  // Below gRPC's 4 MiB: a record as proto is no longer than as JSON.
  takeBytes: 3 * 1024 * 1024,
};

/** Consumes the upstream topic: every message is stored, then delivered, then its offset is committed. */
export async function startUpstream(deps: {
  kafka: KafkaConnection;
  messages: SavingMessages;
  producing: Producing;
  metrics: Metrics;
  log: Logger;
  /** Others than the product's own only where several systems share a broker. */
  topic?: string;
  groupId?: string;
}): Promise<Upstream> {
  const { kafka, producing, log } = deps;
  const topic = deps.topic ?? topics.upstream;
  const queue = createQueue(bounds);
  const claims = createClaims();
  const metrics = createUpstreamMetrics(deps.metrics, queue.size, topic);
  const loop = startSaveLoop({
    queue,
    claims,
    save: createSave(deps.messages),
    produce: producing.produce,
    metrics,
    log,
    topic,
  });
  const consumer = kafka.consumer({ groupId: deps.groupId ?? 'gochat-logic' });
  const membership = followMembership();
  let draining = false;

  /** Rebalances: which partitions are ours, and from where to go on in them. */
  function followMembership() {
    let joined = false;
    let rebalancing = false;
    let memberId = '';
    consumer.on(consumer.events.REBALANCING, () => {
      rebalancing = true;
      joined = false;
      loop.hold();
      // Its request leaves before the one to join: what is done needs no repeating elsewhere.
      void commit();
    });
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      const partitions = payload.memberAssignment[topic] ?? [];
      // A member that was thrown out comes back under another id: others may have gone on meanwhile.
      const continuous = rebalancing && payload.memberId === memberId;
      memberId = payload.memberId;
      for (const { partition, offset } of claims.assign(partitions, continuous)) {
        consumer.seek({ topic, partition, offset: String(offset) });
      }
      queue.drop((item) => !claims.holds(item));
      rebalancing = false;
      joined = true;
      log.info({ partitions }, 'holding partitions');
      loop.release();
    });
    consumer.on(consumer.events.CRASH, () => {
      joined = false;
      rebalancing = false;
    });
    return { isMember: () => joined };
  }

  async function commit(): Promise<void> {
    const offsets = claims.uncommitted();
    if (offsets.length === 0) return;
    try {
      await consumer.commitOffsets(
        offsets.map(({ partition, offset }) => ({ topic, partition, offset: String(offset) })),
      );
      claims.committed(offsets);
      metrics.commits.inc({ result: 'ok' });
    } catch (error) {
      // What stays uncommitted is committed next time, or processed again: then it is a redelivery.
      metrics.commits.inc({ result: 'failed' });
      log.warn({ err: error }, 'cannot commit offsets now');
    }
  }

  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: false,
    // Handing over takes no time, and all partitions wait for the same queue: more workers would only cost.
    partitionsConsumedConcurrently: 1,
    eachBatch: async ({ batch, resolveOffset, heartbeat, isRunning, isStale }) => {
      while (!queue.hasRoom() || draining) {
        await (draining ? new Promise((resolve) => setTimeout(resolve, 100)) : queue.room(1000));
        await heartbeat();
        if (!isRunning() || isStale()) return;
      }
      const claim = claims.of(batch.partition);
      if (claim === undefined || !isRunning() || isStale()) return;
      queue.push(batch.messages.map((message) => readItem(message, batch.partition, claim)));
      claims.queued(batch.partition, Number(batch.lastOffset()));
      resolveOffset(batch.lastOffset());
      metrics.lag.set({ topic, partition: batch.partition }, Number(batch.offsetLag()));
    },
  });
  const committing = commitRegularly(commit);

  async function stop(): Promise<void> {
    draining = true;
    consumer.pause([{ topic }]);
    const deadline = setTimeout(() => {
      log.error('did not drain in time');
      producing.abandon();
      loop.abandon();
    }, drainDeadlineMs);
    await loop.drain().finally(() => clearTimeout(deadline));
    await committing.stop();
    await commit();
    await consumer.disconnect();
  }

  let stopped: Promise<void> | undefined;
  return {
    isConsuming: membership.isMember,
    stop: () => {
      stopped ??= stop();
      return stopped;
    },
  };
}

/** One commit at a time. */
function commitRegularly(commit: () => Promise<void>): { stop(): Promise<void> } {
  let running: Promise<void> = Promise.resolve();
  let stopped = false;
  const tick = () => {
    running = commit().then(() => {
      if (!stopped) timer = setTimeout(tick, commitEveryMs);
    });
  };
  let timer = setTimeout(tick, commitEveryMs);
  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
