// Room: asynchronous control flow: deadlines, retries with back-off, batches, shared calls, sleeps. The work itself
// belongs to the callers: nothing in this room knows a server, a message or a user.

/**
 * The outcome of `work`, or, if `work` takes longer than `ms` milliseconds, what `onLate` returns or throws. The late
 * work is not cancelled; its result or error is ignored. No timer outlives the call.
 *
 * After the process was paused, its overdue timers run before its sockets are read. An answer that is in the socket's
 * buffer by then still counts: it has two turns of the event loop to arrive.
 */
export function withDeadline<T, Late>(work: Promise<T>, ms: number, onLate: () => Late): Promise<T | Late> {
  return new Promise((resolve, reject) => {
    let settled = false;
    const giveUp = (): void => {
      if (settled) return;
      try {
        resolve(onLate());
      } catch (error) {
        reject(error);
      }
    };
    const timer = setTimeout(() => setImmediate(() => setImmediate(giveUp)), ms);
    work.then(
      (value) => {
        settled = true;
        clearTimeout(timer);
        resolve(value);
      },
      (error: unknown) => {
        settled = true;
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}
