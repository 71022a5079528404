/** How a successful answer is stored under its Idempotency-Key, and how a repeat is answered from it. */
export type Replay = {
  /** Returns the part of an answer that is stored. */
  keep(answer: string): string;
  /** Builds the answer to a repeat from the stored part. Rejects if the caller may not read the resource any more. */
  restore(kept: string, userId: string): Promise<string>;
};

/** For answers that consist of ids only: a repeat gets the first answer. */
export const replayFirst: Replay = { keep: (answer) => answer, restore: async (kept) => kept };

/**
 * For answers that show a resource: only its ids are stored, and a repeat gets the resource as it is now. So a recalled
 * message stays recalled, and a user who may not read the message any more does not get it. `idsOf` picks the ids from an
 * answer, and also from a stored part, because earlier versions stored whole answers.
 */
export const replayCurrent = <Ids extends object>(
  idsOf: (answer: Ids) => Ids,
  read: (ids: Ids, userId: string) => Promise<object>,
): Replay => ({
  keep: (answer) => JSON.stringify(idsOf(JSON.parse(answer) as Ids)),
  restore: async (kept, userId) => JSON.stringify(await read(idsOf(JSON.parse(kept) as Ids), userId)),
});
