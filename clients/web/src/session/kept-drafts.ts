/** The place of the drafts that a closing page could not hand over to the SDK in time. */
const place = 'gochat.draft.';
const keyOf = (userId: string, conversationId: string): string => `${place}${userId}.${conversationId}`;

/**
 * Drafts that outlive a page which is left at once: the SDK stores a little later than one types, and a page that closes
 * can only write to localStorage.
 */
export const keptDrafts = {
  get: (userId: string, conversationId: string): string | undefined =>
    orNothing(() => localStorage.getItem(keyOf(userId, conversationId))) ?? undefined,
  set: (userId: string, conversationId: string, text: string): void =>
    void orNothing(() => localStorage.setItem(keyOf(userId, conversationId), text)),
  remove: (userId: string, conversationId: string): void =>
    void orNothing(() => localStorage.removeItem(keyOf(userId, conversationId))),
  /** Forgets those of everybody. */
  clear: (): void =>
    void orNothing(() => {
      for (const key of Object.keys(localStorage)) if (key.startsWith(place)) localStorage.removeItem(key);
    }),
};

/** Some browsers let a page store nothing. */
function orNothing<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch {
    return undefined;
  }
}
