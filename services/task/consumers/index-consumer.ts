import { setTimeout as sleep } from 'node:timers/promises';
import { createGather } from '../../../lib/async/gather.ts';
import { isId } from '../../../lib/domain/ids.ts';
import { GoChatError } from '../../../lib/errors.ts';
import type { SeqRange } from '../../../lib/gen/im_repo/v1/search.ts';
import type { RepoClient } from '../../../lib/grpc/clients.ts';
import type { ReceivedRecord } from '../../../lib/kafka/subscription.ts';
import type { Metrics } from '../../../lib/metrics.ts';
import type { MessagesStored } from '../../../lib/records/records.ts';

/**
 * How the records are fetched: few times a second, since nobody waits for them. Under load a record is about a hundred
 * messages: those of a partition that are handled at once must be in the index before the group takes this process for dead.
 */
export const indexFetching = { gatherMs: 600, recordsAtOnce: 20 };
/** The most ranges per call: a call takes some tens of milliseconds. */
const rangesPerCall = 200;
/** The records of all partitions of a fetch come within this time. */
const lingerMs = 10;
/**
 * The rest after a call, as a share of the call's time. Messages that are being sent come first: while more are stored
 * than the index can take up in its share, they wait in Kafka.
 */
const restShare = 6;
const maxRestMs = 1000;
const deadlineMs = 5000;

type Batch = { ranges: SeqRange[]; oldestAt: number; done: PromiseWithResolvers<void> };

/**
 * Takes stored messages up into the search index. Records of all partitions that come at about the same time are one
 * batch. Resolves when all given messages are in the index; rejects if im-repo cannot be reached: the records wait in Kafka.
 */
export function createIndexConsumer(deps: {
  search: Pick<RepoClient['search'], 'indexMessages'>;
  metrics: Metrics;
}) {
  const delay = deps.metrics.latency(
    'gochat_search_index_delay_seconds',
    'Time from the storing of messages until they are in the search index.',
  );
  let filling = emptyBatch();
  const gather = createGather({
    waiting: () => filling.ranges.length,
    lingerMs,
    fullLength: rangesPerCall,
    async handle() {
      const { ranges, oldestAt, done } = filling;
      filling = emptyBatch();
      try {
        await indexAll(ranges);
        delay.observe(Math.max(0, Date.now() - oldestAt) / 1000);
        done.resolve();
      } catch (error) {
        done.reject(error);
      }
    },
  });

  async function indexAll(ranges: SeqRange[]): Promise<void> {
    let waiting = ranges;
    while (waiting.length > 0) {
      const started = performance.now();
      const { left } = await deps.search.indexMessages(
        { ranges: waiting.slice(0, rangesPerCall) },
        { deadlineMs },
      );
      waiting = [...left, ...waiting.slice(rangesPerCall)];
      await sleep(Math.min((performance.now() - started) * restShare, maxRestMs));
    }
  }

  return async function handle(records: ReceivedRecord[]): Promise<void> {
    const batches = new Set<Batch>();
    for (const { ranges, at } of records.map(parseRecord)) {
      batches.add(filling);
      filling.ranges.push(...ranges);
      filling.oldestAt = Math.min(filling.oldestAt, at);
      gather.wake();
    }
    const outcomes = await Promise.allSettled([...batches].map(({ done }) => done.promise));
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed) throw failed.reason;
  };
}

const emptyBatch = (): Batch => ({
  ranges: [],
  oldestAt: Number.POSITIVE_INFINITY,
  done: Promise.withResolvers(),
});

function parseRecord({ value }: ReceivedRecord): { ranges: SeqRange[]; at: number } {
  const { conversations, occurred_at: at = Date.now() } = (value ?? {}) as Partial<MessagesStored>;
  const isRight = Array.isArray(conversations) && conversations.length > 0 && conversations.every(isRange);
  if (!isRight || !Number.isSafeInteger(at))
    throw new GoChatError('INVALID_ARGUMENT', 'The record names no stored messages.');
  return {
    at,
    ranges: conversations.map(({ conversation_id, first_seq_id, last_seq_id }) => ({
      conversationId: conversation_id,
      firstSeqId: first_seq_id,
      lastSeqId: last_seq_id,
    })),
  };
}

function isRange(one: Partial<MessagesStored['conversations'][number]> | null): boolean {
  const { conversation_id: id, first_seq_id: first = 0, last_seq_id: last = 0 } = one ?? {};
  if (typeof id !== 'string' || !isId(id)) return false;
  return Number.isSafeInteger(first) && Number.isSafeInteger(last) && first >= 1 && first <= last;
}
