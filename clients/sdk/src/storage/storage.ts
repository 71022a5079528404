// Room: where a client keeps what it knows from one run to the next. Places know keys and values; only the persister knows
// what they mean.

import type { Persister, PersisterDeps } from './persister.ts';

/** What a client stores with. Make one by `memoryStorage`, `fileStorage` or `indexedDb`. */
export interface Storage {
  readonly createPersister: (deps: PersisterDeps) => Persister;
  /** Of a place that several tabs of a browser share: lets them agree which of them leads. */
  // biome-ignore lint/suspicious/noExplicitAny: what it makes of what is the business of those above.
  readonly createTabs?: (deps: any) => any;
}
