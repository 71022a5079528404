/**
 * Callers who ask for the same thing while it is being done share one call and its outcome. A workflow takes ten updates
 * at a time, and loses its task over those that it has to turn away: twenty impatient clicks would take seconds.
 */
export function createSharedCalls() {
  const underWay = new Map<string, Promise<unknown>>();
  return <T>(what: string, call: () => Promise<T>): Promise<T> => {
    const running = underWay.get(what);
    if (running) return running as Promise<T>;
    const made = call().finally(() => underWay.delete(what));
    underWay.set(what, made);
    return made;
  };
}
