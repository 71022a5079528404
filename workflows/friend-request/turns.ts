export type Turns = {
  /** Does something after everything begun before it has ended. */
  take<T>(work: () => Promise<T>): Promise<T>;
  /** The same, once for each key: whoever comes with the key again gets the first one's outcome. */
  once<T>(key: string, work: () => Promise<T>): Promise<T>;
  /** True while nothing is going on. */
  free(): boolean;
};

/** Lets a flow's commands happen one after the other, in the order in which they came. */
export function createTurns(): Turns {
  let last: Promise<unknown> = Promise.resolve();
  let going = 0;
  const outcomes = new Map<string, Promise<unknown>>();

  function take<T>(work: () => Promise<T>): Promise<T> {
    going += 1;
    const outcome = last.then(work).finally(() => {
      going -= 1;
    });
    last = outcome.catch(() => undefined);
    return outcome;
  }

  return {
    take,
    once<T>(key: string, work: () => Promise<T>): Promise<T> {
      const known = outcomes.get(key) as Promise<T> | undefined;
      if (known) return known;
      const outcome = take(work);
      outcomes.set(key, outcome);
      return outcome;
    },
    free: () => going === 0,
  };
}
