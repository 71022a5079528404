// Room: waiting: deadlines, tries with growing pauses, batches, work done once at a time, sleeps. What is waited for
// stays with its owner: nothing here knows a server, a message or a user.

/**
 * The outcome of `work`, or what `onLate` answers or throws when the work takes longer than `ms` milliseconds. Work that
 * is late goes on by itself: how it ends, well or badly, is ignored. No timer outlives the call.
 *
 * After this process stood still its timers run before its sockets are read. So an answer that is there by then still
 * gets its chance: it has two turns of the event loop to arrive.
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
