import { createBackoff } from '../../../lib/async/retry.ts';
import { createSleeper } from '../../../lib/async/sleeper.ts';
import type { UpstreamMessage } from '../../../lib/kafka/records.ts';
import type { Logger } from '../../../lib/log.ts';
import type { Claims } from './claims.ts';
import { buildDelivery, buildFailures, type Delivery } from './delivery.ts';
import type { Item } from './item.ts';
import type { Queue } from './queue.ts';
import { buried, isFinal, type Outcome, type Save } from './save.ts';
import type { UpstreamMetrics } from './upstream-metrics.ts';

export type SaveLoop = {
  /** While the group rebalances: nothing new is begun, since the partitions may be somebody else's. */
  hold(): void;
  release(): void;
  /** Resolves when all that was queued is stored and delivered. */
  drain(): Promise<void>;
  /** Gives up what is under way; it is fetched again after the next start. */
  abandon(): void;
};

/** After this the sender is told that the message failed. The message stays: sent again, it is stored once. */
const patienceMs = 10_000;
const restShare = 0.4;
const longestRestMs = 12;
/** Enough for a save that is worth its cost. */
const fullBatch = 500;
const pauses = { firstMs: 100, longestMs: 2000 };

/**
 * One save at a time takes all that is queued; the produce of what it stored overlaps the next save. Produces keep
 * the order of the saves. No gather (lib/async): a queue that holds the consumer back feeds it, it rests between its
 * saves, and while partitions change hands it stands still.
 */
export function startSaveLoop(deps: {
  queue: Queue;
  claims: Claims;
  save: Save;
  produce: (delivery: Delivery) => Promise<void>;
  metrics: UpstreamMetrics;
  log: Logger;
  topic: string;
}): SaveLoop {
  const { queue, claims, save, metrics, log } = deps;
  let state: 'running' | 'draining' | 'abandoned' = 'running';
  let producing = Promise.resolve();
  let held: Promise<void> | undefined;
  let release = () => {};
  const sleeper = createSleeper();

  const isAbandoned = () => state === 'abandoned';

  async function run(): Promise<void> {
    while (true) {
      if (state === 'running') await queue.filled();
      // The batches of one fetch arrive one after the other within this turn of the event loop.
      await new Promise((resolve) => setImmediate(resolve));
      await held;
      if (isAbandoned()) return;
      const items = queue.take();
      if (items.length > 0) await inRhythm(() => process(items));
      else if (state === 'draining') return producing;
    }
  }

  /**
   * After a save a share of its time passes before the next one: a save costs much the same for one message as for
   * thirty, so that saves without a break would fill the processors with saves of few messages. What is waiting
   * meanwhile is the next batch; where that is full, nothing is waited for.
   */
  async function inRhythm(work: () => Promise<void>): Promise<void> {
    const started = performance.now();
    await work();
    const restMs = Math.min((performance.now() - started) * restShare, longestRestMs);
    if (restMs >= 1 && state === 'running' && queue.size() < fullBatch) await sleeper.sleep(restMs);
  }

  async function process(items: Item[]): Promise<void> {
    const started = performance.now();
    const done = metrics.takeUp();
    metrics.wait.observe((started - (items[0]?.queuedAt ?? started)) / 1000);
    metrics.batch.observe(items.length);
    const outcomes = await saveUntilDone(items);
    metrics.save.observe((performance.now() - started) / 1000);
    await producing;
    await held;
    if (isAbandoned()) return;
    // A partition that went elsewhere is fetched from its committed offset there, and delivered from there.
    const ours = outcomes.filter(({ item }) => claims.holds(item));
    producing = deliver(ours).finally(done);
  }

  async function deliver(outcomes: Outcome[]): Promise<void> {
    const delivery = buildDelivery(outcomes, deps.topic);
    if (!(await produced(delivery))) return;
    claims.acknowledge(outcomes.map(({ item }) => item));
    metrics.ended(outcomes);
    metrics.delivered(delivery.receivedAt);
  }

  async function produced(delivery: Delivery): Promise<boolean> {
    const started = performance.now();
    try {
      await deps.produce(delivery);
    } catch (error) {
      log.error({ err: error }, 'gave up producing');
      abandon();
      return false;
    }
    metrics.produce.observe((performance.now() - started) / 1000);
    metrics.records.observe(delivery.records.length + delivery.tasks.length);
    return true;
  }

  async function saveUntilDone(batch: Item[]): Promise<Outcome[]> {
    const started = performance.now();
    let items = batch;
    const nextPauseMs = createBackoff(pauses);
    while (true) {
      items = items.filter((item) => claims.holds(item));
      try {
        return await save(items);
      } catch (error) {
        if (isAbandoned()) return [];
        const impatient = performance.now() - started > patienceMs;
        if (isFinal(error) || (impatient && !isOutage(error))) {
          const parts = await bisect(items, error);
          if (isFinal(error) || items.length === 1 || parts.some(({ kind }) => kind !== 'dead')) return parts;
          // Everything fails alone: it isn't the items' fault.
        }
        const pauseMs = nextPauseMs();
        log.warn({ err: error, items: items.length, pauseMs }, 'cannot save now');
        tellOverdue(items);
        await sleeper.sleep(pauseMs);
        if (isAbandoned()) return [];
      }
    }
  }

  /** Finds out which items fail by themselves. */
  async function bisect(items: Item[], error: unknown): Promise<Outcome[]> {
    const [only] = items;
    if (!only) return [];
    if (items.length === 1) return [buried(only, error)];
    const middle = items.length >> 1;
    const outcomes: Outcome[] = [];
    for (const half of [items.slice(0, middle), items.slice(middle)]) {
      try {
        outcomes.push(...(await save(half)));
      } catch (failure) {
        outcomes.push(...(isOutage(failure) ? await saveUntilDone(half) : await bisect(half, failure)));
      }
      if (isAbandoned()) return [];
    }
    return outcomes;
  }

  function tellOverdue(inHand: Item[]): void {
    const before = performance.now() - patienceMs;
    const messages: UpstreamMessage[] = [];
    for (const items of [inHand, queue.waiting()]) {
      for (const item of items) {
        if (item.told || item.queuedAt > before || item.content.kind !== 'message') continue;
        item.told = true;
        metrics.told();
        messages.push(item.content.message);
      }
    }
    if (messages.length === 0) return;
    log.error({ messages: messages.length }, 'senders are told that their messages take too long');
    producing = producing.then(async () => {
      await produced(buildFailures(messages));
    });
  }

  function abandon(): void {
    state = 'abandoned';
    release();
    sleeper.wake();
    queue.wake();
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
      return finished;
    },
    abandon,
  };
}

/** Nobody's fault but the moment's: the same again, later. */
const isOutage = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'UNAVAILABLE';
