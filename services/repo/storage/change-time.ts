import { lockWaitSeconds } from '../connections/pool.ts';

/**
 * The current time as SQL: the database's clock, in Unix milliseconds. A client asks for what changed since an earlier
 * answer, so all change times use this one clock. The time of a change is taken when the statement that writes it
 * begins. The time of an answer is taken before its first row is read.
 *
 * A change becomes visible at its commit, which is later than its time. A query for changes since a time therefore
 * starts `overlapMs` earlier. Two rules keep every commit within `overlapMs`:
 * - The statement that writes a time goes out in one packet with COMMIT (`batchAndCommit`), so neither a slow network
 *   nor a paused process can separate the two.
 * - That statement follows the statements that may wait for locks. If it still waits for a lock itself, the wait ends
 *   after `lockWaitSeconds` and the whole transaction is rolled back.
 *
 * A statement may wait for several rows, each for up to `lockWaitSeconds`. Nearly all of these rows are written only
 * under the lock of their conversation's head, which the transaction already holds. The remaining rows belong to one
 * member (read pointers and choices), and their other writers hold them for one round trip. The overlap is exceeded
 * only if several of those writers hang one after the other. A sync then misses only how far its own user has read by
 * sending, and the sent message itself shows that.
 */
export const databaseTime = "(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000)";

/** The longest wait for a lock, plus one second for the commit itself. */
export const overlapMs = (lockWaitSeconds + 1) * 1000;

/**
 * SQL for the time when a conversation last changed for one of its members: the conversation itself, the membership or
 * the read pointer. Messages don't count. Rows that are older than the column `changed_at` have only `joined_at`. The
 * read pointer may be NULL (LEFT JOIN).
 */
export const changedFor = (aliases: { conversation: string; member: string; pointer: string }): string => {
  const { conversation: c, member: m, pointer: p } = aliases;
  return `GREATEST(${c}.changed_at, ${m}.joined_at, ${m}.changed_at, COALESCE(${p}.updated_at, 0))`;
};
