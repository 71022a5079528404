export type Backlog = {
  /** An acknowledgement came, so many seconds after its send; so many sends still wait. */
  note(seconds: number, waiting: number): void;
  /** A send was refused since as many wait as may. */
  refused(): void;
  /** How many sends may wait at present. */
  most(): number;
};

/** So few may wait in any case. Where storing is not slow in itself, they are no queue. */
const fewest = 200;
/** What an acknowledgement may take, or twice what it takes by itself. More, and more and more, is overload. */
const slowMs = 200;
/** For so long it is looked at, and by so much it has to grow: what only comes in waves does not. */
const patienceMs = 100;
const growth = 1.1;
/** What an acknowledgement shall take in overload: as much as storing needs to be at its best, which is a batch that waits for another. */
const targetMs = 70;
/** Overload is over when so long hardly anything had to be refused: no more than so much of what was acknowledged. */
const calmMs = 1000;
const hardlyAny = 0.05;
const windowMs = 250;
/** By so much at most one window changes how many may wait, and what is believed of an acknowledgement by itself. */
const steps = { down: 0.8, up: 1.25, slower: 1.25 };
/** What that is believed to be at first. */
const firstUnqueuedMs = 20;

/**
 * How many sends may wait for their acknowledgement. A burst may be as large as memory allows, and so may what gathers
 * while storing stands still. But where more comes than is stored, a queue only adds its length to every
 * acknowledgement: then as many may wait as keep them quick, and the rest is refused at once.
 *
 * A send will wait for as long as those before it take: their number by the rate of acknowledgements. That tells of
 * overload before the first slow acknowledgement does. How much room there is then is found by trying, from window to
 * window, since how long a queue makes storing most efficient differs by machine. And what is slow goes by what
 * an acknowledgement takes while few wait, so that a database far away is not taken for one with too much to do.
 */
export function createBacklog(options: { most: number; now?: () => number }): Backlog {
  const { now = () => performance.now() } = options;
  /** While overloaded: how many may wait. */
  let room: number | undefined;
  /** Since when more waits than should, and how much it was then; what is acknowledged meanwhile tells what can be. */
  let slow: { since: number; waiting: number; acknowledged: number } | undefined;
  let busyAt = Number.NEGATIVE_INFINITY;
  let perMs = 0;
  let unqueuedMs = firstUnqueuedMs;
  const newWindow = (from: number) => ({ from, acknowledged: 0, refused: 0, sumMs: 0, mostWaiting: 0 });
  let window = newWindow(now());
  const hasPaused = watchPauses(now());

  const within = (sends: number) => Math.min(Math.max(sends, fewest), options.most);
  const orTwiceUnqueued = (ms: number) => Math.max(ms, 2 * unqueuedMs);
  const mayWait = (rate: number) => Math.max(rate * orTwiceUnqueued(slowMs), fewest);

  function measure(at: number, ms: number, waiting: number): void {
    window.acknowledged += 1;
    window.sumMs += ms;
    window.mostWaiting = Math.max(window.mostWaiting, waiting);
    const length = at - window.from;
    if (length < windowMs) return;
    learn(length);
    if (window.refused > window.acknowledged * hardlyAny) busyAt = at;
    window = newWindow(at);
  }

  function learn(length: number): void {
    const { acknowledged, refused, sumMs, mostWaiting } = window;
    const meanMs = sumMs / acknowledged;
    perMs = acknowledged / length;
    if (mostWaiting <= fewest) unqueuedMs = Math.min(meanMs, unqueuedMs * steps.slower);
    // What waited before there was a bound, or before it was lowered, says nothing of this one.
    if (room === undefined || mostWaiting > room) return;
    const factor = orTwiceUnqueued(targetMs) / meanMs;
    // Nor does a bound that nothing reached.
    if (factor > 1 && refused === 0) return;
    room = within(room * Math.min(Math.max(factor, steps.down), steps.up));
  }

  function lookForOverload(at: number, waiting: number, paused: boolean): void {
    if (waiting <= mayWait(perMs)) {
      slow = undefined;
      return;
    }
    // What gathered in a pause is made up for by itself, unless more and more waits after it.
    if (!slow || paused) slow = { since: at, waiting, acknowledged: 0 };
    slow.acknowledged += 1;
    const forMs = at - slow.since;
    if (forMs <= patienceMs || waiting < slow.waiting * growth) return;
    perMs = slow.acknowledged / forMs;
    slow = undefined;
    if (waiting <= mayWait(perMs)) return;
    room = within(perMs * orTwiceUnqueued(targetMs));
    busyAt = at;
  }

  function endWhenCalm(at: number): void {
    if (at - busyAt > calmMs) room = undefined;
  }

  return {
    note(seconds, waiting) {
      const at = now();
      const paused = hasPaused(at);
      measure(at, seconds * 1000, waiting);
      endWhenCalm(at);
      if (room === undefined) lookForOverload(at, waiting, paused);
    },
    refused() {
      window.refused += 1;
    },
    most() {
      // Also where nothing is acknowledged any more.
      if (room !== undefined) endWhenCalm(now());
      return room ?? options.most;
    },
  };
}

/** Acknowledgements that come so soon one after the other are of one batch. */
const batchMs = 5;
/** So much longer than between batches, and so long at least, is a pause. */
const pause = { times: 4, ms: 150 };

/** Whether there was a pause before an acknowledgement: storing stood still. */
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
