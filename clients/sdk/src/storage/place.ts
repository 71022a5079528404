/**
 * A place for a client's entries. Values are plain data, as `structuredClone` takes it. Only one client at a time may write
 * into a place.
 */
export interface Place {
  /** All entries. */
  read(): Promise<Map<string, unknown>>;
  /**
   * Writes all of these entries or none; a value of `undefined` removes the entry. Resolves once they survive a crash.
   * With a `guard` it writes nothing, and rejects, if that entry has another value.
   */
  write(changes: ReadonlyMap<string, unknown>, guard?: Guard): Promise<void>;
  /** Removes all entries. */
  clear(): Promise<void>;
}

export interface Guard {
  key: string;
  value: unknown;
}

export const guardBroken = () => new Error('Another client writes into this storage.');
