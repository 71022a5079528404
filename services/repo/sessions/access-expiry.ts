import { accessTokenS } from '../../../lib/domain/session-lifetimes.ts';

/**
 * SQL for the time when a session's last access token expires, in Unix milliseconds. Without a stored time it is the
 * latest possible one.
 */
export const accessExpiry = `COALESCE(access_expires_at, last_used_at + ${accessTokenS.longest * 1000})`;
