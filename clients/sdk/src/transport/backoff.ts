const firstMs = 1000;
const longestMs = 30_000;

/** 1, 2, 4, … 30 seconds by the number of failures so far. */
export const backoffMs = (failures: number): number => Math.min(longestMs, firstMs * 2 ** failures);

/** A wait that can be cut short. */
export interface Pause {
  readonly ended: Promise<void>;
  end(): void;
}

export function pause(ms: number): Pause {
  let end = () => {};
  const ended = new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    end = () => {
      clearTimeout(timer);
      resolve();
    };
  });
  return { ended, end };
}
