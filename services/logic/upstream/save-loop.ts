import { createBackoff, retry } from '../../../lib/async/retry.ts';
import { createSleeper } from '../../../lib/async/sleeper.ts';
import type { Logger } from '../../../lib/log.ts';
import type { UpstreamMessage } from '../../../lib/records/records.ts';
import type { Claims } from './claims.ts';
import { buildDelivery, buildFailures, type Delivery } from './delivery.ts';
import type { EarlyAcks } from './early-acks.ts';
import type { Item } from './item.ts';
import type { Queue } from './queue.ts';
import type { RefusedMessages } from './refused-messages.ts';
import { type Batch, deadBatch, isFinal, type Outcome, type Save, type Waiting } from './save.ts';
import type { UpstreamMetrics } from './upstream-metrics.ts';
import { createWaitingItems } from './waiting-items.ts';

export type SaveLoop = {
  /** Pauses the loop while the group rebalances, since other processes may get the partitions. */
  hold(): void;
  /** Ends the pause. */
  release(): void;
  /** Resolves when all queued items are stored and delivered. */
  drain(): Promise<void>;
  /** Gives up all work in flight. Its records are redelivered after the next start. */
  abandon(): void;
};

/**
 * After this time the sender gets an error. The message stays queued: if the sender sends it again, it is still stored
 * only once.
 */
const notifyAfterMs = 10_000;
/** The rest after a save, as a share of the save's time. */
const restShare = 0.4;
const maxRestMs = 12;
/** A save of fewer items is not followed by a rest: so few arrive that a rest would gather none. */
const minBatch = 4;
/** Queue length from which on a save starts without a rest: its batch is large enough. */
const fullBatch = 500;
const pauses = { firstMs: 100, longestMs: 2000 };

/**
 * Saves all queued items, one save at a time. Finding the recipients of a saved batch and producing its records overlap
 * the next save; produces keep the order of the saves. This loop does not use `createGather` of lib/async, since its queue holds the consumer back
 * when it is full, the loop rests between saves, and it pauses while the group rebalances.
 */
export function startSaveLoop(deps: {
  queue: Queue;
  claims: Claims;
  save: Save;
  refused: RefusedMessages;
  earlyAcks: EarlyAcks;
  produce: (delivery: Delivery) => Promise<void>;
  metrics: UpstreamMetrics;
  log: Logger;
  topic: string;
}): SaveLoop {
  const { queue, claims, save, metrics, log } = deps;
  let state: 'running' | 'draining' | 'abandoned' = 'running';
  let producing = Promise.resolve();
  const waiting = createWaitingItems({
    claims,
    attempt: attemptOnce,
    deliver(outcomes) {
      const savedAt = performance.now();
      producing = producing.then(() => deliver(outcomes, savedAt));
    },
    onCount: (count) => metrics.waiting.set(count),
    refused: deps.refused,
    log,
  });
  let held: Promise<void> | undefined;
  let release = () => {};
  const sleeper = createSleeper();

  const isAbandoned = () => state === 'abandoned';

  async function run(): Promise<void> {
    while (true) {
      if (state === 'running') await queue.filled();
      // The batches of one fetch are queued one after the other within one turn of the event loop: wait for all.
      await new Promise((resolve) => setImmediate(resolve));
      await held;
      await waiting.room();
      if (isAbandoned()) return;
      const items = waiting.keepBehind(queue.take());
      if (items.length >= minBatch) await thenRest(() => process(items));
      else if (items.length > 0) await process(items);
      else if (state === 'draining' && queue.size() === 0) return producing;
    }
  }

  /**
   * Does the work of one save, and rests for a share of its time. A save costs about the same for one message as for
   * thirty, so without rests, saves of few messages would use up the processors. Messages that arrive during the rest
   * form the next batch; there is no rest if that batch is full already.
   */
  async function thenRest(work: () => Promise<void>): Promise<void> {
    const started = performance.now();
    await work();
    const restMs = Math.min((performance.now() - started) * restShare, maxRestMs);
    if (restMs >= 1 && state === 'running' && queue.size() < fullBatch) await sleeper.sleep(restMs);
  }

  async function process(items: Item[]): Promise<void> {
    const started = performance.now();
    const done = metrics.batchBegun();
    metrics.wait.observe((started - (items[0]?.queuedAt ?? started)) / 1000);
    metrics.batch.observe(items.length);
    const batches = await saveUntilDone(items);
    const savedAt = performance.now();
    metrics.save.observe((savedAt - started) / 1000);
    for (const { stored } of batches) waiting.add(stored.filter(isWaiting));
    // If messages wait for the next save, a call more would cost them what it wins for these.
    if (queue.size() === 0) {
      const stored = batches.flatMap((batch) => batch.stored);
      deps.earlyAcks.send(stored.filter(({ item }) => claims.holds(item)));
    }
    // The next save begins while the recipients of this one are looked up and its records are produced.
    const resolving = Promise.all(batches.map(resolveUntilDone));
    const earlier = producing;
    producing = earlier
      .then(() => resolving)
      .then((resolved) => deliver(resolved.flat(), savedAt))
      .finally(done);
    await earlier;
  }

  /** For items that wait: those that cannot be processed now are tried again later. */
  async function attemptOnce(items: Item[]): Promise<Outcome[]> {
    await held;
    const batches = await save(items).then(
      (batch) => [batch],
      (error: unknown) => {
        if (isAbandoned() || isOutage(error)) throw error;
        return bisect(items, error);
      },
    );
    return (await Promise.all(batches.map(({ resolve }) => resolve()))).flat();
  }

  async function resolveUntilDone(batch: Batch): Promise<Outcome[]> {
    return retry(batch.resolve, {
      ...pauses,
      isTransient: () => !isAbandoned(),
      onPause: (error, pauseMs) =>
        log.warn({ err: error, pauseMs }, 'cannot find recipients; retrying after a pause'),
    }).catch(() => []);
  }

  async function deliver(resolved: readonly Outcome[], savedAt: number): Promise<void> {
    await held;
    if (isAbandoned()) return;
    // If another process has got a partition, it fetches the partition from the committed offset and delivers these
    // items.
    const here = resolved.filter(({ item }) => claims.holds(item));
    waiting.add(here.filter(isWaiting).filter(({ stored }) => stored));
    const outcomes = here.filter((outcome) => !isWaiting(outcome));
    for (const outcome of outcomes) {
      if ('recipients' in outcome && outcome.recipients) deps.earlyAcks.learn(outcome.recipients);
    }
    const delivery = buildDelivery(outcomes, deps.topic);
    metrics.downstreamWait.observe((performance.now() - savedAt) / 1000);
    if (!(await produced(delivery))) return;
    claims.acknowledge(outcomes.map(({ item }) => item));
    for (const outcome of outcomes) if (outcome.kind === 'saved') deps.refused.delivered(outcome.message);
    metrics.ended(outcomes);
    metrics.delivered(delivery.receivedAt);
  }

  async function produced(delivery: Delivery): Promise<boolean> {
    const started = performance.now();
    try {
      await deps.produce(delivery);
    } catch (error) {
      log.error({ err: error }, 'gave up producing; the records will be redelivered');
      abandon();
      return false;
    }
    metrics.produce.observe((performance.now() - started) / 1000);
    metrics.records.observe(delivery.records.length + delivery.tasks.length);
    return true;
  }

  async function saveUntilDone(batch: Item[]): Promise<Batch[]> {
    const started = performance.now();
    let items = batch;
    const nextPauseMs = createBackoff(pauses);
    while (true) {
      items = items.filter((item) => claims.holds(item));
      try {
        return [await save(items)];
      } catch (error) {
        if (isAbandoned()) return [];
        const isOverdue = performance.now() - started > notifyAfterMs;
        if (isFinal(error) || (isOverdue && !isOutage(error))) {
          const parts = await bisect(items, error);
          if (isFinal(error) || items.length === 1 || parts.some(isStored)) return parts;
          // Every item fails by itself, so the items are not the cause: retry.
        }
        const pauseMs = nextPauseMs();
        log.warn({ err: error, items: items.length, pauseMs }, 'cannot save; retrying after a pause');
        notifyOverdue(items);
        await sleeper.sleep(pauseMs);
        if (isAbandoned()) return [];
      }
    }
  }

  /** Finds the items that fail by themselves, by saving halves of the batch. */
  async function bisect(items: Item[], error: unknown): Promise<Batch[]> {
    const [only] = items;
    if (!only) return [];
    if (items.length === 1) return [deadBatch(only, error)];
    const middle = items.length >> 1;
    const batches: Batch[] = [];
    for (const half of [items.slice(0, middle), items.slice(middle)]) {
      try {
        batches.push(await save(half));
      } catch (failure) {
        batches.push(...(isOutage(failure) ? await saveUntilDone(half) : await bisect(half, failure)));
      }
      if (isAbandoned()) return [];
    }
    return batches;
  }

  function notifyOverdue(beingSaved: Item[]): void {
    const before = performance.now() - notifyAfterMs;
    const messages: UpstreamMessage[] = [];
    for (const items of [beingSaved, queue.waiting()]) {
      for (const item of items) {
        if (item.notified || item.queuedAt > before || item.content.kind !== 'message') continue;
        item.notified = true;
        metrics.notified();
        messages.push(item.content.message);
      }
    }
    if (messages.length === 0) return;
    log.error({ messages: messages.length }, 'sending errors to the senders of overdue messages');
    producing = producing.then(async () => {
      await produced(buildFailures(messages));
    });
  }

  function abandon(): void {
    state = 'abandoned';
    release();
    sleeper.wake();
    queue.wake();
    void waiting.stop();
  }

  const finished = run();
  return {
    hold() {
      if (held || isAbandoned()) return;
      held = new Promise((resolve) => {
        release = () => {
          held = undefined;
          resolve();
        };
      });
    },
    release: () => release(),
    drain() {
      if (state === 'running') state = 'draining';
      queue.wake();
      return finished.then(waiting.stop).then(() => producing);
    },
    abandon,
  };
}

const isWaiting = (outcome: Outcome): outcome is Waiting => outcome.kind === 'waiting';

/** True if not every item of the batch failed. */
const isStored = ({ stored }: Batch): boolean => stored.some(({ kind }) => kind !== 'dead');

/** True if im-repo is unavailable: a retry may succeed with the same items. */
const isOutage = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'UNAVAILABLE';
