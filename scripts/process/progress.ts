import { performance } from 'node:perf_hooks';

/** Tells the person who waits what is going on. */
export interface Progress {
  say(line: string): void;
  /** Runs `work` and prints `title` with the time it took; every ten seconds it says that it still goes on. */
  step<T>(title: string, work: () => Promise<T>): Promise<T>;
}

const stillGoingMs = 10_000;

export function createProgress(): Progress {
  const startedAt = performance.now();
  const say = (line: string) => console.log(`${elapsed(startedAt).padStart(8)}  ${line}`);

  return {
    say,
    async step(title, work) {
      const from = performance.now();
      const ticker = setInterval(() => say(`${title} … (${elapsed(from)})`), stillGoingMs);
      try {
        const result = await work();
        say(`${title}: ${elapsed(from)}`);
        return result;
      } finally {
        clearInterval(ticker);
      }
    },
  };
}

/** Seconds since a `performance.now()` reading, as people read them: `0.4 s`. */
export function elapsed(from: number): string {
  return `${((performance.now() - from) / 1000).toFixed(1)} s`;
}
