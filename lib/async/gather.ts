export type Gather = {
  /** Must be called after an item was added to the queue. A batch starts after the linger time. */
  wake(): void;
  /** Starts a batch without lingering, and resolves when the queue is empty and no batch is in flight. */
  flush(): Promise<void>;
};

/**
 * Group commit: items that arrive within the linger time are handled as one batch, and items that arrive while a batch
 * is in flight form the next one. So batches grow with the load, and a single item waits for the linger time only.
 *
 * The caller owns the queue, and decides its order and its bounds.
 */
export function createGather(options: {
  /** The length of the queue. */
  waiting: () => number;
  /** Removes a batch from the queue synchronously, and resolves when the batch is handled. Must not reject. */
  handle: () => Promise<void>;
  /** Milliseconds. Without it, a batch has the items that arrive in the same turn of the event loop. */
  lingerMs?: number;
  /** Queue length from which on a batch starts without lingering. */
  fullLength?: number;
  /**
   * The maximum number of batches in flight, 1 unless given. With 1, a batch that follows another starts without
   * lingering, since its items were gathered meanwhile. With more, every batch lingers.
   */
  maxConcurrent?: number;
}): Gather {
  const { waiting, handle, lingerMs = 0, fullLength = Number.POSITIVE_INFINITY, maxConcurrent = 1 } = options;
  let timer: NodeJS.Timeout | undefined;
  let scheduled = false;
  let running = 0;
  let idle: PromiseWithResolvers<void> | undefined;

  function wake(): void {
    if (running >= maxConcurrent) return;
    const count = waiting();
    if (count >= fullLength) start();
    else if (count > 0 && !scheduled) schedule();
  }

  function schedule(): void {
    scheduled = true;
    if (lingerMs > 0) timer = setTimeout(start, lingerMs);
    else setImmediate(start);
  }

  function start(): void {
    clearTimeout(timer);
    scheduled = false;
    if (running >= maxConcurrent || waiting() === 0) return;
    running += 1;
    void run();
    wake();
  }

  async function run(): Promise<void> {
    do await handle();
    while (maxConcurrent === 1 && waiting() > 0);
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
