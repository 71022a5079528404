import { setTimeout as sleep } from 'node:timers/promises';
import { createGather } from '../../../lib/async/gather.ts';
import { isId } from '../../../lib/domain/ids.ts';
import { GoChatError } from '../../../lib/errors.ts';
import type { SeqRange } from '../../../lib/gen/im_repo/v1/search.ts';
import type { RepoClient } from '../../../lib/grpc/clients.ts';
import type { ReceivedRecord } from '../../../lib/kafka/subscription.ts';
import type { Metrics } from '../../../lib/metrics.ts';
import { recordOfRanges, type StoredRecord } from '../../../lib/records/messages-stored.ts';
import type { MessagesStored } from '../../../lib/records/records.ts';

/**
 * How the records are fetched: few times a second, since nobody waits for them. Under load a record is about a hundred
 * messages: those of a partition that are handled at once must be in the index before the group takes this process for dead.
 */
export const indexFetching = { gatherMs: 600, recordsAtOnce: 20 };
/** The most ranges per call: a call takes some tens of milliseconds. */
const rangesPerCall = 200;
/** Of these, at least so many places are for ranges of which a call has left some. */
const leftPerCall = 20;
/** What is left after this time of a record goes back to the topic's end, so that the records behind it need not wait. */
const patienceMs = 500;
const heartbeatEveryMs = 1000;
/** The records of all partitions of a fetch come within this time. */
const lingerMs = 10;
/**
 * The rest after a call, as a share of the call's time. Messages that are being sent come first: while more are stored
 * than the index can take up in its share, they wait in Kafka.
 */
const restShare = 6;
const maxRestMs = 1000;
const deadlineMs = 5000;

/** The records of one call of `handle`: those of a partition. */
type Told = { at: number; since: number; open: number; done: PromiseWithResolvers<void> };
type Work = { range: SeqRange; told: Told };

/**
 * Takes stored messages up into the search index. Records of all partitions that come at about the same time share calls,
 * and those that come meanwhile join the next one: so a conversation with many messages to take up, as after an import,
 * keeps no other waiting. Resolves when all given messages are in the index, or told again; rejects if im-repo cannot be
 * reached: the records wait in Kafka.
 */
export function createIndexConsumer(deps: {
  search: Pick<RepoClient['search'], 'indexMessages'>;
  /** Adds records to the end of gochat.messages.stored. */
  tellAgain: (records: StoredRecord[]) => Promise<void>;
  metrics: Metrics;
}) {
  const delay = deps.metrics.latency(
    'gochat_search_index_delay_seconds',
    'Time from the storing of messages until they are in the search index.',
  );
  let fresh: Work[] = [];
  let left: Work[] = [];
  const gather = createGather({
    waiting: () => fresh.length + left.length,
    lingerMs,
    fullLength: rangesPerCall,
    async handle() {
      const works = fresh.splice(0, rangesPerCall - Math.min(left.length, leftPerCall));
      works.push(...left.splice(0, rangesPerCall - works.length));
      const started = performance.now();
      try {
        await index(works);
      } catch (error) {
        fail(works, error);
      }
      await sleep(Math.min((performance.now() - started) * restShare, maxRestMs));
    },
  });

  async function index(works: readonly Work[]): Promise<void> {
    const answer = await deps.search.indexMessages(
      { ranges: works.map(({ range }) => range) },
      { deadlineMs },
    );
    const isLeft = new Set(answer.left.map(({ conversationId }) => conversationId));
    for (const { range, told } of works) if (!isLeft.has(range.conversationId)) finish(told, true);
    // Ranges take turns: what is left now comes after what was left before.
    left.push(...works.filter(({ range }) => isLeft.has(range.conversationId)));
    const until = performance.now() - patienceMs;
    const late = left.filter(({ told }) => told.since <= until);
    if (late.length === 0) return;
    left = left.filter(({ told }) => told.since > until);
    try {
      await deps.tellAgain(recordsOf(late));
      for (const { told } of late) finish(told, false);
    } catch (error) {
      fail(late, error);
    }
  }

  function finish(told: Told, isIndexed: boolean): void {
    told.open -= 1;
    if (told.open > 0) return;
    if (isIndexed) delay.observe(Math.max(0, Date.now() - told.at) / 1000);
    told.done.resolve();
  }

  function fail(works: readonly Work[], error: unknown): void {
    const failed = new Set(works.map(({ told }) => told));
    for (const { done } of failed) done.reject(error);
    fresh = fresh.filter(({ told }) => !failed.has(told));
    left = left.filter(({ told }) => !failed.has(told));
  }

  return async function handle(records: ReceivedRecord[], heartbeat: () => Promise<void>): Promise<void> {
    const parsed = records.map(parseRecord);
    const ranges = parsed.flatMap((record) => record.ranges);
    if (ranges.length === 0) return;
    const told: Told = {
      at: Math.min(...parsed.map(({ at }) => at)),
      since: performance.now(),
      open: ranges.length,
      done: Promise.withResolvers(),
    };
    fresh.push(...ranges.map((range) => ({ range, told })));
    gather.wake();
    // A failed heartbeat is noticed by the one that follows the records.
    const beating = setInterval(() => void heartbeat().catch(() => undefined), heartbeatEveryMs);
    try {
      await told.done.promise;
    } finally {
      clearInterval(beating);
    }
  };
}

/** One record per conversation, with each range once. */
function recordsOf(works: readonly Work[]): StoredRecord[] {
  const byConversation = Map.groupBy(works, ({ range }) => range.conversationId);
  return Array.from(byConversation, ([id, own]) => {
    const ranges = new Map(own.map(({ range }) => [`${range.firstSeqId}-${range.lastSeqId}`, range]));
    return recordOfRanges(
      Array.from(ranges.values(), ({ firstSeqId, lastSeqId }) => ({
        conversation_id: id,
        first_seq_id: firstSeqId,
        last_seq_id: lastSeqId,
      })),
      Math.min(...own.map(({ told }) => told.at)),
    );
  });
}

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
