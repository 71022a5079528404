export type Sleeper = {
  /** Resolves after `ms` milliseconds, or at the next `wake`. */
  sleep(ms: number): Promise<void>;
  /** Ends the current sleep. If there is none, the next sleep ends at once, so that no wake-up is lost. */
  wake(): void;
};

/** The pauses of one loop, which other code may cut short. */
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
