export type Backlog = {
  /** An acknowledgement came, so many seconds after its send. */
  note(seconds: number): void;
  /** A send was refused since as many wait as may. */
  refused(): void;
  /** How many sends may wait at present. */
  most(): number;
};

/** Acknowledgements that on the average take longer, for so long, mean more is sent than can be stored in time. */
const slowMs = 170;
const patienceMs = 500;
/** Of the newest acknowledgement in the moving average. */
const weight = 1 / 64;
/** What may wait while that is so: as much as is acknowledged in this time, so that what is accepted stays quick. */
const shortMs = 80;
/** Few are no queue: slow acknowledgements of a moment without load refuse nothing. */
const fewest = 200;
/** It is over when so long nothing had to be refused, and acknowledgements are quick. */
const calmMs = 1000;
const windowMs = 250;

/**
 * How many sends may wait for their acknowledgement. A burst may be as large as memory allows, and so may what gathers
 * while storing stands still. But where acknowledgements flow and are slow all the same, a queue only adds its length
 * to each of them: then it is kept short, and the rest is refused at once.
 */
export function createBacklog(options: { most: number; now?: () => number }): Backlog {
  const { now = () => performance.now() } = options;
  let overloaded = false;
  let slowSince: number | undefined;
  let refusedAt = Number.NEGATIVE_INFINITY;
  let perMs = 0;
  let averageMs = 0;
  let window = { from: now(), acknowledged: 0 };

  function measureRate(at: number): void {
    window.acknowledged += 1;
    const ms = at - window.from;
    if (ms < windowMs) return;
    // A window with a standstill in it says nothing.
    if (ms < 2 * windowMs) {
      const latest = window.acknowledged / ms;
      perMs = perMs === 0 ? latest : (perMs + latest) / 2;
    }
    window = { from: at, acknowledged: 0 };
  }

  return {
    note(seconds) {
      const at = now();
      measureRate(at);
      averageMs += weight * (seconds * 1000 - averageMs);
      if (averageMs > slowMs) {
        slowSince ??= at;
        if (at - slowSince > patienceMs) overloaded = true;
        return;
      }
      slowSince = undefined;
      if (at - refusedAt > calmMs) overloaded = false;
    },
    refused() {
      refusedAt = now();
    },
    most: () => (overloaded ? Math.min(Math.max(perMs * shortMs, fewest), options.most) : options.most),
  };
}
