import { createPersister } from './persister.ts';
import { guardBroken, type Place } from './place.ts';
import type { Storage } from './storage.ts';

/** Keeps data as long as this object lives. A client that gets it again goes on where the one before stopped. */
export function memoryStorage(): Storage {
  const place = memoryPlace();
  return { createPersister: (deps) => createPersister(place, deps) };
}

function memoryPlace(): Place {
  const entries = new Map<string, unknown>();
  return {
    read: async () => new Map(entries),
    async write(changes, guard) {
      if (guard && entries.get(guard.key) !== guard.value) throw guardBroken();
      for (const [key, value] of changes) {
        if (value === undefined) entries.delete(key);
        else entries.set(key, value);
      }
    },
    async clear() {
      entries.clear();
    },
  };
}
