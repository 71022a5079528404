import type { SeatStorage } from './engine/seat.ts';
import { indexedDbPlace } from './storage/indexeddb.ts';
import { createPersister, type PersisterDeps } from './storage/persister.ts';
import { createTabs } from './tabs/tabs.ts';
import { givenSession } from './transport/tokens.ts';

/**
 * Keeps a client's data in the browser's IndexedDB, in databases whose names begin with this one. All tabs that use the
 * same name for the same user are one client: one of them has the socket and writes, and another one takes over when it is
 * closed or frozen. In a browser without Web Locks nothing is stored, and each tab is a client of its own.
 */
export function indexedDb(name = 'gochat'): SeatStorage | undefined {
  if (typeof navigator === 'undefined' || !navigator.locks) return undefined;
  return {
    createPersister: (deps) => createPersister(indexedDbPlace(fullName(name, deps)), deps),
    createTabs: (deps) => createTabs(fullName(name, deps), deps),
  };
}

/** The user is part of the name where the credentials tell who it is. */
function fullName(name: string, { url, credentials }: Pick<PersisterDeps, 'url' | 'credentials'>): string {
  const user =
    'username' in credentials
      ? credentials.username.toLowerCase()
      : (givenSession(credentials)?.user.id ?? '');
  return `${name} ${url} ${user}`;
}
