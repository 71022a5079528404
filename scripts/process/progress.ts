import { performance } from 'node:perf_hooks';

/** Prints progress for the user who waits. */
export interface Progress {
  say(line: string): void;
  /** Runs `work` and prints `title` with its duration; while it runs, prints a line every ten seconds. */
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

/** The time since a `performance.now()` reading as text: `0.4 s`. */
export function elapsed(from: number): string {
  return `${((performance.now() - from) / 1000).toFixed(1)} s`;
}
