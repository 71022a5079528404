export type CommandQueue = {
  /** Runs the work after all earlier work has ended. */
  run<T>(work: () => Promise<T>): Promise<T>;
  /** The same, but once per key: a second call with a key gets the outcome of the first. */
  runOnce<T>(key: string, work: () => Promise<T>): Promise<T>;
  /** True if no work is running or queued. */
  idle(): boolean;
};

/** Executes the commands of a flow one after the other, in the order of their arrival. */
export function createCommandQueue(): CommandQueue {
  let last: Promise<unknown> = Promise.resolve();
  let unfinished = 0;
  const outcomes = new Map<string, Promise<unknown>>();

  function run<T>(work: () => Promise<T>): Promise<T> {
    unfinished += 1;
    const outcome = last.then(work).finally(() => {
      unfinished -= 1;
    });
    last = outcome.catch(() => undefined);
    return outcome;
  }

  return {
    run,
    runOnce<T>(key: string, work: () => Promise<T>): Promise<T> {
      const known = outcomes.get(key) as Promise<T> | undefined;
      if (known) return known;
      const outcome = run(work);
      outcomes.set(key, outcome);
      return outcome;
    },
    idle: () => unfinished === 0,
  };
}
