export type Sleeper = {
  /** Resolves after `ms` milliseconds, or at the next `wake`. */
  sleep(ms: number): Promise<void>;
  /** Ends the sleep. While nobody sleeps, the next sleep ends at once: no wake-up is lost. */
  wake(): void;
};

/** Pauses of one loop that somebody else may cut short. */
export function createSleeper(): Sleeper {
  let woken = false;
  let cutShort: (() => void) | undefined;
  return {
    async sleep(ms) {
      if (!woken) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, ms);
          cutShort = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      woken = false;
      cutShort = undefined;
    },
    wake() {
      woken = true;
      cutShort?.();
    },
  };
}
