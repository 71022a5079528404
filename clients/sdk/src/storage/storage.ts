// Room: where a client keeps what it knows from one run to the next. Places know keys and values; only the persister knows
// what they mean.

import type { Persister, PersisterDeps } from './persister.ts';

/**
 * What a client stores with. Make one by `memoryStorage`, `fileStorage` or `indexedDb`. What tabs are, and so the type of
 * what creates them, is the business of those above.
 */
export interface Storage<CreateTabs = never> {
  readonly createPersister: (deps: PersisterDeps) => Persister;
  /** Of a place that several tabs of a browser share: lets them agree which of them leads. */
  readonly createTabs?: CreateTabs;
}
