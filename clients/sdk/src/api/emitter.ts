// Room: what applications see: the client, its conversations, sends, people. It reads the model and hands inputs to the
// engine; it never talks to storage or sockets itself.

/** Listeners by event. */
export function createEmitter<Events>() {
  const all = new Map<keyof Events, unknown>();
  return {
    on<T extends keyof Events>(type: T, listener: (data: Events[T]) => void): () => void {
      const listeners = (all.get(type) as Subscribers<Events[T]>) ?? createSubscribers<Events[T]>();
      all.set(type, listeners);
      return listeners.subscribe(listener);
    },
    emit<T extends keyof Events>(type: T, data: Events[T]): void {
      (all.get(type) as Subscribers<Events[T]> | undefined)?.notify(data);
    },
  };
}

type Subscribers<Data> = ReturnType<typeof createSubscribers<Data>>;

/** Functions to call when something happens. One that throws harms neither the client nor the others. */
export function createSubscribers<Data = void>() {
  const all = new Set<(data: Data) => void>();
  return {
    subscribe(fn: (data: Data) => void): () => void {
      // The same function may be registered twice, and each registration ends by itself.
      const own = (data: Data) => fn(data);
      all.add(own);
      return () => void all.delete(own);
    },
    notify(data: Data): void {
      for (const fn of all) {
        try {
          fn(data);
        } catch (error) {
          // It goes where errors go that nobody catches.
          setTimeout(() => {
            throw error;
          });
        }
      }
    },
    size: () => all.size,
  };
}
