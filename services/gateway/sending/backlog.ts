export type Backlog = {
  /** Records an acknowledgement: the seconds since its send, and the number of sends that still wait for theirs. */
  note(seconds: number, waiting: number): void;
  /** Records a send that was refused because the limit was reached. */
  refused(): void;
  /** How many sends may wait for their acknowledgement at present. */
  limit(): number;
};

/** The limit is never lower than this: so few sends are no queue, unless storing itself is slow. */
const minLimit = 200;
/** A queue is too long if a new send must expect to wait this long, or twice an unqueued acknowledgement if longer. */
const slowMs = 200;
/** A queue that is too long is overload if, after `patienceMs`, it has grown by this factor. A short wave does not grow. */
const patienceMs = 100;
const growth = 1.1;
/**
 * The acknowledgement time to aim for in overload. Storing is most efficient at about this time: one batch then always
 * waits behind another.
 */
const targetMs = 70;
/** Overload ends when, for `calmMs`, hardly any sends were refused: at most this share of the acknowledged ones. */
const calmMs = 1000;
const maxCalmRefusals = 0.05;
/** The limit and the estimates are adjusted once per window. */
const windowMs = 250;
/** The largest factors by which one window changes the limit (down, up) and raises the unqueued time (slower). */
const steps = { down: 0.8, up: 1.25, slower: 1.25 };
/** First estimate of the time that an acknowledgement takes without a queue. */
const firstUnqueuedMs = 20;

/**
 * Decides how many sends may wait for their acknowledgement. A burst may be as large as memory allows (`max`), and so may
 * the queue that builds up while storing stands still. But while more messages arrive than are stored, a longer queue
 * only delays every acknowledgement. Then the limit is lowered until acknowledgements are quick, and the other sends are
 * refused at once.
 *
 * A new send waits for the sends before it: their number divided by the rate of acknowledgements. This expected wait shows
 * overload before the first slow acknowledgement does. The limit in overload is then found by trial, from window to
 * window, because the queue length at which storing is most efficient differs per machine. "Slow" is relative to the
 * time of an acknowledgement while few sends wait, so that a distant database is not mistaken for an overloaded one.
 */
export function createBacklog(options: { max: number; now?: () => number }): Backlog {
  const { now = () => performance.now() } = options;
  /** The limit during overload; undefined otherwise. */
  let overloadLimit: number | undefined;
  /** Set while the queue is too long: since when, its length then, and the acknowledgements since, to measure the rate. */
  let longQueue: { since: number; waiting: number; acknowledged: number } | undefined;
  let overloadedAt = Number.NEGATIVE_INFINITY;
  let acksPerMs = 0;
  let unqueuedMs = firstUnqueuedMs;
  const newWindow = (from: number) => ({ from, acknowledged: 0, refused: 0, sumMs: 0, maxWaiting: 0 });
  let window = newWindow(now());
  const hasPaused = watchPauses(now());

  const clampLimit = (sends: number) => Math.min(Math.max(sends, minLimit), options.max);
  const orTwiceUnqueued = (ms: number) => Math.max(ms, 2 * unqueuedMs);
  const acceptableQueue = (rate: number) => Math.max(rate * orTwiceUnqueued(slowMs), minLimit);

  function measure(at: number, ms: number, waiting: number): void {
    window.acknowledged += 1;
    window.sumMs += ms;
    window.maxWaiting = Math.max(window.maxWaiting, waiting);
    const length = at - window.from;
    if (length < windowMs) return;
    adjust(length);
    if (window.refused > window.acknowledged * maxCalmRefusals) overloadedAt = at;
    window = newWindow(at);
  }

  function adjust(length: number): void {
    const { acknowledged, refused, sumMs, maxWaiting } = window;
    const meanMs = sumMs / acknowledged;
    acksPerMs = acknowledged / length;
    if (maxWaiting <= minLimit) unqueuedMs = Math.min(meanMs, unqueuedMs * steps.slower);
    // Sends that queued before the limit was set or lowered say nothing about the present limit.
    if (overloadLimit === undefined || maxWaiting > overloadLimit) return;
    const factor = orTwiceUnqueued(targetMs) / meanMs;
    // A limit that was not reached need not be raised.
    if (factor > 1 && refused === 0) return;
    overloadLimit = clampLimit(overloadLimit * Math.min(Math.max(factor, steps.down), steps.up));
  }

  function detectOverload(at: number, waiting: number, paused: boolean): void {
    if (waiting <= acceptableQueue(acksPerMs)) {
      longQueue = undefined;
      return;
    }
    // A queue that built up while storing stood still drains by itself, unless it keeps growing afterwards.
    if (!longQueue || paused) longQueue = { since: at, waiting, acknowledged: 0 };
    longQueue.acknowledged += 1;
    const forMs = at - longQueue.since;
    if (forMs <= patienceMs || waiting < longQueue.waiting * growth) return;
    acksPerMs = longQueue.acknowledged / forMs;
    longQueue = undefined;
    if (waiting <= acceptableQueue(acksPerMs)) return;
    overloadLimit = clampLimit(acksPerMs * orTwiceUnqueued(targetMs));
    overloadedAt = at;
  }

  function endWhenCalm(at: number): void {
    if (at - overloadedAt > calmMs) overloadLimit = undefined;
  }

  return {
    note(seconds, waiting) {
      const at = now();
      const paused = hasPaused(at);
      measure(at, seconds * 1000, waiting);
      endWhenCalm(at);
      if (overloadLimit === undefined) detectOverload(at, waiting, paused);
    },
    refused() {
      window.refused += 1;
    },
    limit() {
      // Overload must also end when no more acknowledgements arrive.
      if (overloadLimit !== undefined) endWhenCalm(now());
      return overloadLimit ?? options.max;
    },
  };
}

/** Acknowledgements that are no further apart than this belong to one batch. */
const batchMs = 5;
/** A gap between two batches is a pause if it is longer than `ms` and longer than `times` the usual gap. */
const pause = { times: 4, ms: 150 };

/** Returns a function that is called per acknowledgement, and is true after a pause: storing stood still. */
function watchPauses(start: number): (at: number) => boolean {
  let lastAt = start;
  let usualMs = 0;
  return (at) => {
    const gapMs = at - lastAt;
    lastAt = at;
    if (gapMs <= batchMs) return false;
    const paused = gapMs > Math.max(pause.times * usualMs, pause.ms);
    usualMs += (gapMs - usualMs) / 4;
    return paused;
  };
}
