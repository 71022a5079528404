// Room: Kafka topics that begin or feed flows. How a flow goes on is in workflows/.

import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { createGather } from '../../../lib/async/gather.ts';
import { GoChatError } from '../../../lib/errors.ts';
import type { UserEvent } from '../../../lib/kafka/records.ts';
import type { ReceivedRecord } from '../../../lib/kafka/subscription.ts';
import type { Metrics } from '../../../lib/metrics.ts';
import {
  confirmOffline,
  confirmOfflineStart,
  type DisconnectedUser,
  disconnectedUser,
  type RecordPlace,
} from '../../../workflows/confirm-offline/contract.ts';
import { moment } from '../../../workflows/input/shapes.ts';
import { askTemporal } from '../temporal/temporal-call.ts';

/** Users whom one flow waits for. */
const batchSize = 500;
/** How long a batch waits for more; the time is not lost, since a flow counts from when its users left. */
const longestWaitMs = 1000;

type Disconnect = { place: RecordPlace; at: number; user: DisconnectedUser };
type Batch = { disconnects: Disconnect[]; started: PromiseWithResolvers<void> };

/**
 * Turns disconnects into flows that wait whether the users come back. Records of all partitions that come within a
 * second share a flow, so that thousands of sockets that drop at once cost few of them. Resolves when the flows of all
 * records given are started; rejects with UNAVAILABLE while Temporal is away: the records wait in Kafka.
 */
export function createDisconnectConsumer(deps: {
  client: () => Client | undefined;
  /** OFFLINE_CONFIRM_MS. */
  confirmMs: number;
  metrics: Metrics;
}) {
  const { confirmMs } = deps;
  const waitMs = Math.min(longestWaitMs, confirmMs / 3);
  const sizes = deps.metrics.size('gochat_offline_batch_users', 'Disconnects that one flow waits for.');
  let filling = emptyBatch();
  const gather = createGather({
    waiting: () => filling.disconnects.length,
    lingerMs: waitMs,
    fullLength: batchSize,
    maxConcurrent: Number.POSITIVE_INFINITY,
    async handle() {
      const { disconnects, started } = filling;
      filling = emptyBatch();
      await waitFor(disconnects).then(started.resolve, started.reject);
    },
  });

  /**
   * A name that was used before belongs to a flow that holds at least the disconnect it is named by. What else that
   * flow holds can't be told, since batches may be cut differently after a restart: so only this one is left out, and
   * the rest gets a flow of its own. Somebody in two flows is told of once.
   */
  async function waitFor(disconnects: readonly Disconnect[]): Promise<void> {
    for (let from = 0; from < disconnects.length; from += 1) {
      if (await startFlow(disconnects.slice(from))) return;
    }
  }

  /** False when the batch's name was used before. */
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

/** None for the topic's other events. */
function parseDisconnect({ partition, offset, timestamp, value }: ReceivedRecord): Disconnect[] {
  const event = value as Partial<Extract<UserEvent, { epoch: string }>> | null;
  if (event?.type !== 'user.disconnected') return [];
  const { user_id: userId, epoch, last_active_at: lastActiveAt = 0, occurred_at: at = Date.now() } = event;
  const user = { userId, epoch, lastActiveAt };
  // As the flow checks it: one bad record must not fail a flow that waits for hundreds.
  const wrong = [...disconnectedUser.complaints(user, 'its user'), ...moment.complaints(at, 'occurred_at')];
  if (wrong.length > 0)
    throw new GoChatError('INVALID_ARGUMENT', `This is no disconnect: ${wrong.join('; ')}.`);
  return [{ place: { partition, offset, timestamp }, at, user: user as DisconnectedUser }];
}
