import { GoChatError } from '../../../lib/errors.ts';

/** The server's error number, or 0 if the error has none. */
export const errnoOf = (error: unknown): number => Number((error as { errno?: unknown })?.errno ?? 0);

/**
 * True if another transaction holds the lock. For NOWAIT, MySQL answers 3572; MariaDB answers 1205, which both servers
 * also answer after a lock wait timeout.
 */
export const isLocked = (error: unknown): boolean => [1205, 3572].includes(errnoOf(error));

/** 1213 is a deadlock. */
export const isLockConflict = (error: unknown): boolean => errnoOf(error) === 1213 || isLocked(error);

/** 1264: value out of range. 1366: characters outside the column's character set. 1406: value too long. */
export const isInvalidValue = (error: unknown): boolean => [1264, 1366, 1406].includes(errnoOf(error));

/**
 * Connection errors carry `fatal`. A statement that exceeds its time limit leaves the connection in an unknown state.
 */
export const isConnectionLost = (error: unknown): boolean => {
  const { fatal, code } = (error ?? {}) as { fatal?: boolean; code?: string };
  return fatal === true || code === 'PROTOCOL_SEQUENCE_TIMEOUT' || code === 'PROTOCOL_CONNECTION_LOST';
};

/** True if the database can't be used right now, for any reason. */
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
 * 1021 and 1114: disk full. 1040 and 1203: too many connections. 1053: the server is shutting down. 1290, 1792 and
 * 1836: read-only. 1317 and 1927: killed. 1969 and 3024: the statement took too long.
 */
const unavailableErrnos = new Set([1021, 1040, 1053, 1114, 1203, 1290, 1317, 1792, 1836, 1927, 1969, 3024]);
const unavailableMessages = new Set([
  'Pool is closed.',
  'Queue limit reached.',
  "Can't add new command when connection is in closed state",
]);
const networkCodes = new Set(['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'EPIPE', 'ENOTFOUND', 'EAI_AGAIN']);

/** The error for callers of a database that can't be used right now. */
export function unavailable(cause?: unknown): GoChatError {
  const error = new GoChatError('UNAVAILABLE', 'The database is not reachable right now. Try again.');
  error.cause = cause;
  return error;
}
