export type SingleFlight<T> = {
  /** Does the work, or shares the outcome of what is under way. */
  run(): Promise<T>;
  /** What is under way, if anything is. */
  underWay(): Promise<T> | undefined;
};

/** Work that is never done twice at a time, and whose callers accept an outcome that began to be made before they asked. */
export function createSingleFlight<T>(work: () => Promise<T>): SingleFlight<T> {
  let underWay: Promise<T> | undefined;
  return {
    run() {
      underWay ??= work().finally(() => {
        underWay = undefined;
      });
      return underWay;
    },
    underWay: () => underWay,
  };
}
