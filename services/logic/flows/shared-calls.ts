/**
 * Concurrent calls with the same key share one call and its outcome. A workflow accepts at most ten updates in flight,
 * and loses its workflow task when it must reject further ones: twenty clicks on one button would take seconds.
 */
export function createSharedCalls() {
  const inFlight = new Map<string, Promise<unknown>>();
  return <T>(key: string, call: () => Promise<T>): Promise<T> => {
    const running = inFlight.get(key);
    if (running) return running as Promise<T>;
    const started = call().finally(() => inFlight.delete(key));
    inFlight.set(key, started);
    return started;
  };
}
