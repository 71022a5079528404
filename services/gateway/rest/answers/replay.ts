/** What is kept of a successful answer under its Idempotency-Key, and what a repeat is answered from it. */
export type Replay = {
  keep(answer: string): string;
  /** Rejects where the caller could not read it now. */
  restore(kept: string, userId: string): Promise<string>;
};

/** For answers made only of ids: a repeat gets them as they were. */
export const asItWas: Replay = { keep: (answer) => answer, restore: async (kept) => kept };

/**
 * For answers that show something: only what names it is kept, and a repeat gets it as it is now. So a recalled message
 * stays recalled, and whoever may not read it any more does not. `names` picks the names out of an answer, and out of
 * what it picked before: answers that were kept whole by earlier versions are read the same way.
 */
export const asItIs = <Names extends object>(
  names: (answer: Names) => Names,
  read: (names: Names, userId: string) => Promise<object>,
): Replay => ({
  keep: (answer) => JSON.stringify(names(JSON.parse(answer) as Names)),
  restore: async (kept, userId) => JSON.stringify(await read(names(JSON.parse(kept) as Names), userId)),
});
