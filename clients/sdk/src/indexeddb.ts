import type { SeatDeps } from './engine/seat.ts';
import { indexedDbPlace } from './storage/indexeddb.ts';
import { createPersister } from './storage/persister.ts';
import type { Storage } from './storage/storage.ts';
import { createTabs } from './tabs/tabs.ts';

/**
 * Keeps a client's data in the browser's IndexedDB, in a database of this name. All tabs that use the same name are one
 * client: one of them has the socket and writes, and another one takes over when it is closed or frozen. In a browser
 * without Web Locks nothing is stored, and each tab is a client of its own.
 */
export function indexedDb(name = 'gochat'): Storage | undefined {
  if (typeof navigator === 'undefined' || !navigator.locks) return undefined;
  const place = indexedDbPlace(name);
  return {
    createPersister: (deps) => createPersister(place, deps),
    createTabs: (deps: SeatDeps) => createTabs(name, deps),
  };
}
