export type Limiter = { run<T>(work: () => Promise<T>): Promise<T> };

/** Lets at most `limit` pieces of work go on at once; the others wait in order. */
export function createLimiter(limit: number): Limiter {
  let running = 0;
  const waiting: (() => void)[] = [];
  return {
    async run(work) {
      if (running >= limit) await new Promise<void>((resolve) => waiting.push(resolve));
      else running += 1;
      try {
        return await work();
      } finally {
        // The place passes on to whoever waits first.
        const next = waiting.shift();
        if (next) next();
        else running -= 1;
      }
    },
  };
}
