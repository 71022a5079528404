import { GoChatError } from '../../../lib/errors.ts';

/** The server's number of an error; 0 for any other. */
export const errnoOf = (error: unknown): number => Number((error as { errno?: unknown })?.errno ?? 0);

/** Another transaction has the lock: what NOWAIT answers, 3572 by MySQL and 1205 by MariaDB, as after a long wait. */
export const isLocked = (error: unknown): boolean => [1205, 3572].includes(errnoOf(error));

/** 1213 deadlock. */
export const isLockConflict = (error: unknown): boolean => errnoOf(error) === 1213 || isLocked(error);

/** 1264 out of range, 1366 not a text of the column's characters, 1406 too long. */
export const isInvalidValue = (error: unknown): boolean => [1264, 1366, 1406].includes(errnoOf(error));

/** Errors of the connection carry `fatal`; the time limit of a statement leaves one in an unknown state. */
export const isConnectionLost = (error: unknown): boolean => {
  const { fatal, code } = (error ?? {}) as { fatal?: boolean; code?: string };
  return fatal === true || code === 'PROTOCOL_SEQUENCE_TIMEOUT' || code === 'PROTOCOL_CONNECTION_LOST';
};

/** Whether the database can't be used right now, by whosever fault. */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof GoChatError || !(error instanceof Error)) return false;
  return (
    isConnectionLost(error) ||
    isLockConflict(error) ||
    unavailableErrnos.has(errnoOf(error)) ||
    networkCodes.has(String((error as NodeJS.ErrnoException).code)) ||
    unavailableMessages.has(error.message)
  );
}

/**
 * 1021 and 1114 disk full, 1040 and 1203 too many connections, 1053 shutting down, 1290, 1792 and 1836 read-only,
 * 1317 and 1927 killed, 1969 and 3024 statement took too long.
 */
const unavailableErrnos = new Set([1021, 1040, 1053, 1114, 1203, 1290, 1317, 1792, 1836, 1927, 1969, 3024]);
const unavailableMessages = new Set([
  'Pool is closed.',
  'Queue limit reached.',
  "Can't add new command when connection is in closed state",
]);
const networkCodes = new Set(['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'EPIPE', 'ENOTFOUND', 'EAI_AGAIN']);
