export type SingleFlight<T> = {
  /** Starts the work, or answers the outcome of the work that is in flight. */
  run(): Promise<T>;
  /** The work in flight; undefined if there is none. */
  inFlight(): Promise<T> | undefined;
};

/**
 * Runs work at most once at a time; concurrent callers share one outcome. Only for callers that accept an outcome
 * of work that started before they called.
 */
export function createSingleFlight<T>(work: () => Promise<T>): SingleFlight<T> {
  let inFlight: Promise<T> | undefined;
  return {
    run() {
      inFlight ??= work().finally(() => {
        inFlight = undefined;
      });
      return inFlight;
    },
    inFlight: () => inFlight,
  };
}
