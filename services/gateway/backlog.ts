export type Backlog = {
  /** An acknowledgement came, so many seconds after its send; so many sends still wait. */
  note(seconds: number, waiting: number): void;
  /** A send was refused since as many wait as may. */
  refused(): void;
  /** How many sends may wait at present. */
  most(): number;
};

/** So few are no queue: what an acknowledgement takes then, it takes by itself. */
const fewest = 200;
/** What an acknowledgement may take, or twice what it takes by itself. More, for longer than the patience, is overload. */
const slowMs = 125;
const patienceMs = 100;
/** Longer than between two batches: nothing was stored meanwhile. */
const pauseMs = 500;
/** What it shall take in overload: as much as storing needs to be at its best, which is a batch that waits for another. */
const targetMs = 65;
/** Overload is over when so long nothing had to be refused. */
const calmMs = 1000;
const windowMs = 250;
/** By so much at most one window changes how many may wait, and what is believed of an acknowledgement by itself. */
const steps = { down: 0.8, up: 1.25, slower: 1.25 };

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
  let slow: { since: number; heardAt: number; waiting: number; acknowledged: number } | undefined;
  let refusedAt = Number.NEGATIVE_INFINITY;
  let perMs = 0;
  let unqueuedMs: number | undefined;
  const newWindow = (from: number) => ({ from, acknowledged: 0, sumMs: 0, mostWaiting: 0 });
  let window = newWindow(now());

  const within = (sends: number) => Math.min(Math.max(sends, fewest), options.most);
  const orTwiceUnqueued = (ms: number) => Math.max(ms, 2 * (unqueuedMs ?? 0));

  function measure(at: number, ms: number, waiting: number): void {
    window.acknowledged += 1;
    window.sumMs += ms;
    window.mostWaiting = Math.max(window.mostWaiting, waiting);
    const length = at - window.from;
    if (length < windowMs) return;
    learn(length);
    window = newWindow(at);
  }

  function learn(length: number): void {
    const { acknowledged, sumMs, mostWaiting } = window;
    const meanMs = sumMs / acknowledged;
    perMs = acknowledged / length;
    if (mostWaiting <= fewest) unqueuedMs = Math.min(meanMs, (unqueuedMs ?? meanMs) * steps.slower);
    // What waited before there was a bound, or before it was lowered, says nothing of this one.
    if (room === undefined || mostWaiting > room) return;
    const factor = orTwiceUnqueued(targetMs) / meanMs;
    // Nor does a bound that nothing reached.
    if (factor > 1 && refusedAt < window.from) return;
    room = within(room * Math.min(Math.max(factor, steps.down), steps.up));
  }

  function lookForOverload(at: number, waiting: number): void {
    const mayWait = (rate: number) => Math.max(rate * orTwiceUnqueued(slowMs), fewest);
    if (waiting <= mayWait(perMs)) {
      slow = undefined;
      return;
    }
    // With a pause in between nothing is known of the rate.
    if (!slow || at - slow.heardAt > pauseMs) slow = { since: at, heardAt: at, waiting, acknowledged: 0 };
    slow.heardAt = at;
    slow.acknowledged += 1;
    const forMs = at - slow.since;
    if (forMs <= patienceMs) return;
    // What stood still for a moment is being made up for where less waits than before.
    const grows = waiting >= slow.waiting;
    perMs = slow.acknowledged / forMs;
    slow = undefined;
    if (!grows || waiting <= mayWait(perMs)) return;
    room = within(perMs * orTwiceUnqueued(targetMs));
    refusedAt = at;
  }

  return {
    note(seconds, waiting) {
      const at = now();
      measure(at, seconds * 1000, waiting);
      if (room === undefined) lookForOverload(at, waiting);
      else if (at - refusedAt > calmMs) room = undefined;
    },
    refused() {
      refusedAt = now();
    },
    most: () => room ?? options.most,
  };
}
