export type Gather = {
  /** To be called when something has come to wait. It is handled after the moment. */
  wake(): void;
  /** Handles what waits without the moment, and resolves when nothing waits and nothing is being handled. */
  flush(): Promise<void>;
};

/**
 * Group commit: what comes within a moment is handled as one batch, and what comes while that is being handled makes the
 * next one. So batches grow with the load, and a lone piece of work waits for nothing but its moment.
 *
 * What waits is the caller's, who keeps it in the order and within the bounds that suit it.
 */
export function createGather(options: {
  /** How much waits. */
  waiting: () => number;
  /** Takes as much of it as makes a batch, at once, and resolves when that is handled. Must not reject. */
  handle: () => Promise<void>;
  /** The moment, in milliseconds. Without it, what comes in the same turn of the event loop is one batch. */
  momentMs?: number;
  /** So much is not waited for more with: it is handled without the rest of the moment. */
  full?: number;
  /**
   * Batches handled at the same time, 1 unless given. One follows the other without another moment, since what came
   * meanwhile has gathered already; of several, each waits for its own.
   */
  atOnce?: number;
}): Gather {
  const { waiting, handle, momentMs = 0, full = Number.POSITIVE_INFINITY, atOnce = 1 } = options;
  let timer: NodeJS.Timeout | undefined;
  let scheduled = false;
  let running = 0;
  let idle: PromiseWithResolvers<void> | undefined;

  function wake(): void {
    if (running >= atOnce) return;
    const count = waiting();
    if (count >= full) start();
    else if (count > 0 && !scheduled) schedule();
  }

  function schedule(): void {
    scheduled = true;
    if (momentMs > 0) timer = setTimeout(start, momentMs);
    else setImmediate(start);
  }

  function start(): void {
    clearTimeout(timer);
    scheduled = false;
    if (running >= atOnce || waiting() === 0) return;
    running += 1;
    void run();
    wake();
  }

  async function run(): Promise<void> {
    do await handle();
    while (atOnce === 1 && waiting() > 0);
    running -= 1;
    wake();
    if (running > 0 || waiting() > 0) return;
    idle?.resolve();
    idle = undefined;
  }

  return {
    wake,
    async flush() {
      start();
      if (running === 0) return;
      idle ??= Promise.withResolvers();
      await idle.promise;
    },
  };
}
