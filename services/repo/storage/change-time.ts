/**
 * When something changed, for those who ask what changed since. All of these times are the database's clock, in Unix
 * milliseconds: a change's when the statement begins that writes it, an answer's before the first row is read.
 *
 * A change may become visible later than its time says, at the commit. So whoever asks since a moment is answered since
 * `overlapMs` before it. Two habits keep the commit within that: the statement that writes a time goes out with COMMIT in
 * one packet (`batchAndCommit`), so that neither a slow network nor a process that stands still comes in between, and it
 * comes behind the statements that may wait for locks. What it may still wait for ends after `lockWaitSeconds`, with
 * the whole transaction.
 *
 * A statement may wait for several rows, each up to that long. Nearly all of these rows are written only under the lock of
 * their conversation's head, which is held by then. The others are a member's own: read pointers and choices, whose other
 * writers hold them for a round trip. Several of those would have to hang one after the other, and what a sync could then
 * miss is how far its own user has read by sending, which the message itself shows.
 */
export const databaseTime = "(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000)";

/** How long a statement waits for a row's lock before its transaction is rolled back and begun anew. */
export const lockWaitSeconds = 4;

/** The longest wait for a lock, and a second for the commit itself. */
export const overlapMs = (lockWaitSeconds + 1) * 1000;

/**
 * When a conversation changed last for one of its members: the conversation itself, the membership, or how far it was
 * read. Messages don't count. Rows of a time before `changed_at` know only when they joined. `p` may be missing.
 */
export const changedFor = (aliases: { conversation: string; member: string; pointer: string }): string => {
  const { conversation: c, member: m, pointer: p } = aliases;
  return `GREATEST(${c}.changed_at, ${m}.joined_at, ${m}.changed_at, COALESCE(${p}.updated_at, 0))`;
};
