// Room: consumers of Kafka topics that start or signal flows. The flows themselves are in workflows/.

import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { createGather } from '../../../lib/async/gather.ts';
import { GoChatError } from '../../../lib/errors.ts';
import type { ReceivedRecord } from '../../../lib/kafka/subscription.ts';
import type { Metrics } from '../../../lib/metrics.ts';
import type { UserEvent } from '../../../lib/records/records.ts';
import {
  confirmOffline,
  confirmOfflineStart,
  type DisconnectedUser,
  disconnectedUser,
  type RecordPlace,
} from '../../../workflows/confirm-offline/contract.ts';
import { moment } from '../../../workflows/input/shapes.ts';
import { askTemporal } from '../temporal/temporal-call.ts';

/** Maximum number of users per flow. */
const batchSize = 500;
/** Maximum time that a batch waits for more. It delays nothing, since a flow's timer counts from the disconnects. */
const maxLingerMs = 1000;

type Disconnect = { place: RecordPlace; at: number; user: DisconnectedUser };
type Batch = { disconnects: Disconnect[]; started: PromiseWithResolvers<void> };

/**
 * Starts flows that wait whether disconnected users come back. Records of all partitions that arrive within a second
 * share a flow, so that thousands of concurrent disconnects need few flows. Resolves when the flows for all given
 * records are started. Rejects with UNAVAILABLE while Temporal is down: the records wait in Kafka.
 */
export function createDisconnectConsumer(deps: {
  client: () => Client | undefined;
  /** OFFLINE_CONFIRM_MS. */
  confirmMs: number;
  metrics: Metrics;
}) {
  const { confirmMs } = deps;
  const lingerMs = Math.min(maxLingerMs, confirmMs / 3);
  const sizes = deps.metrics.size('gochat_offline_batch_users', 'Disconnects per flow.');
  let filling = emptyBatch();
  const gather = createGather({
    waiting: () => filling.disconnects.length,
    lingerMs,
    fullLength: batchSize,
    maxConcurrent: Number.POSITIVE_INFINITY,
    async handle() {
      const { disconnects, started } = filling;
      filling = emptyBatch();
      await startFlows(disconnects).then(started.resolve, started.reject);
    },
  });

  /**
   * Starts the flow of a batch, which is named after the batch's first disconnect. If the name is taken, a flow for
   * that disconnect exists. It may lack the others, since batches may be cut differently after a restart. So only the
   * first disconnect is skipped, and the others get a flow of their own. A user in two flows still goes offline only
   * once.
   */
  async function startFlows(disconnects: readonly Disconnect[]): Promise<void> {
    for (let from = 0; from < disconnects.length; from += 1) {
      if (await startFlow(disconnects.slice(from))) return;
    }
  }

  /** Answers false if the batch's name is taken. */
  async function startFlow(disconnects: readonly Disconnect[]): Promise<boolean> {
    const [first] = disconnects;
    if (!first) return true;
    const args = {
      users: disconnects.map(({ user }) => user),
      disconnectedAt: Math.max(...disconnects.map(({ at }) => at)),
      confirmMs,
    };
    try {
      await askTemporal(deps.client(), (client) =>
        client.workflow.start(confirmOffline.workflowType, confirmOfflineStart(first.place, args)),
      );
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
      throw error;
    }
    sizes.observe(disconnects.length);
    return true;
  }

  return async function handle(records: ReceivedRecord[]): Promise<void> {
    const batches = new Set<Batch>();
    for (const disconnect of records.flatMap(parseDisconnect)) {
      batches.add(filling);
      filling.disconnects.push(disconnect);
      gather.wake();
    }
    const outcomes = await Promise.allSettled([...batches].map(({ started }) => started.promise));
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed) throw failed.reason;
  };
}

const emptyBatch = (): Batch => ({ disconnects: [], started: Promise.withResolvers() });

/** The disconnect in a record; an empty list for other events of the topic. */
function parseDisconnect({ partition, offset, timestamp, value }: ReceivedRecord): Disconnect[] {
  const event = value as Partial<Extract<UserEvent, { epoch: string }>> | null;
  if (event?.type !== 'user.disconnected') return [];
  const { user_id: userId, epoch, last_active_at: lastActiveAt = 0, occurred_at: at = Date.now() } = event;
  const user = { userId, epoch, lastActiveAt };
  // The flow's own checks, made here already: one invalid record must not fail the flow of hundreds of users.
  const wrong = [...disconnectedUser.complaints(user, 'its user'), ...moment.complaints(at, 'occurred_at')];
  if (wrong.length > 0)
    throw new GoChatError('INVALID_ARGUMENT', `The record is no disconnect: ${wrong.join('; ')}.`);
  return [{ place: { partition, offset, timestamp }, at, user: user as DisconnectedUser }];
}
