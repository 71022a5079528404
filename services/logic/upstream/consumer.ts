// Room: the hot path: it stores messages from Kafka in batches, acknowledges them and sends them downstream. Nothing
// that waits for a user or a flow may be added here.

import type { GatewayPeers } from '../../../lib/grpc/gateway-peers.ts';
import type { KafkaConnection } from '../../../lib/kafka/kafka.ts';
import { topics } from '../../../lib/kafka/topics.ts';
import type { Logger } from '../../../lib/log.ts';
import type { Metrics } from '../../../lib/metrics.ts';
import { createClaims } from './claims.ts';
import { createEarlyAcks, type OwnSends } from './early-acks.ts';
import { readItem } from './item.ts';
import type { Producing } from './producing.ts';
import { createQueue } from './queue.ts';
import { createRefusedMessages } from './refused-messages.ts';
import { createSave, type SavingMessages } from './save.ts';
import { startSaveLoop } from './save-loop.ts';
import { createUpstreamMetrics } from './upstream-metrics.ts';

export type Upstream = {
  /** True while this process is a member of the group. */
  isConsuming(): boolean;
  /** Stores and delivers all records that were fetched, commits their offsets, and leaves the group. */
  stop(): Promise<void>;
};

const commitEveryMs = 500;
const drainDeadlineMs = 15_000;
const bounds = {
  maxItems: 5000,
  maxBytes: 16 * 1024 * 1024,
  takeItems: 1000,
  // Below gRPC's limit of 4 MiB: a record in protobuf is no longer than in JSON.
  takeBytes: 3 * 1024 * 1024,
};

/** Consumes the upstream topic: stores every message, then delivers it, then commits its offset. */
export async function startUpstream(deps: {
  kafka: KafkaConnection;
  messages: SavingMessages;
  producing: Producing;
  peers: GatewayPeers;
  ownSends: OwnSends;
  metrics: Metrics;
  log: Logger;
  /** Overrides of the defaults, for several systems that share a broker. */
  topic?: string;
  groupId?: string;
}): Promise<Upstream> {
  const { kafka, producing, log } = deps;
  const topic = deps.topic ?? topics.upstream;
  const queue = createQueue(bounds);
  const claims = createClaims();
  const refused = createRefusedMessages();
  const metrics = createUpstreamMetrics(deps.metrics, queue.size, topic);
  const loop = startSaveLoop({
    queue,
    claims,
    save: createSave(deps.messages, refused),
    refused,
    earlyAcks: createEarlyAcks({ peers: deps.peers, ownSends: deps.ownSends, sent: metrics.earlyAcks }),
    produce: producing.produce,
    metrics,
    log,
    topic,
  });
  const consumer = kafka.consumer({
    groupId: deps.groupId ?? 'gochat-logic',
    // A rebalance waits for the fetch in flight, and messages wait for the rebalance.
    maxWaitTimeInMs: 250,
  });
  const membership = followMembership();
  let draining = false;

  /** Handles rebalances: updates the claims, and seeks to where processing continues. */
  function followMembership() {
    let joined = false;
    let rebalancing = false;
    let memberId = '';
    consumer.on(consumer.events.REBALANCING, () => {
      rebalancing = true;
      joined = false;
      loop.hold();
      // This request is sent before the one to join, so that finished work is not repeated by another process.
      void commit();
    });
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      const partitions = payload.memberAssignment[topic] ?? [];
      // A member that was removed from the group rejoins under a new id. Others may have consumed its partitions
      // meanwhile.
      const continuous = rebalancing && payload.memberId === memberId;
      memberId = payload.memberId;
      for (const { partition, offset } of claims.assign(partitions, continuous)) {
        consumer.seek({ topic, partition, offset: String(offset) });
      }
      queue.drop((item) => !claims.holds(item));
      rebalancing = false;
      joined = true;
      log.info({ partitions }, 'partitions assigned');
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
      // These offsets are committed next time. If another process takes over before, the records are redelivered.
      metrics.commits.inc({ result: 'failed' });
      log.warn({ err: error }, 'cannot commit offsets; retrying at the next interval');
    }
  }

  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: false,
    // Queueing a batch takes no time, and all partitions share one queue: more workers would only add overhead.
    partitionsConsumedConcurrently: 1,
    eachBatch: async ({ batch, resolveOffset, heartbeat, isRunning, isStale }) => {
      while (!queue.hasRoom() || draining) {
        await (draining ? new Promise((resolve) => setTimeout(resolve, 100)) : queue.room(1000));
        await heartbeat();
        if (!isRunning() || isStale()) return;
      }
      const claim = claims.of(batch.partition);
      if (claim === undefined || !isRunning() || isStale()) return;
      const [oldest] = batch.messages;
      if (oldest) metrics.transit(oldest);
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
      log.error('the upstream consumer did not drain in time');
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

/** Commits every 500 ms, one commit at a time. `stop` waits for the commit in flight. */
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
