import { accessTokenS } from '../../../lib/domain/session-lifetimes.ts';

/** Until when access tokens of a session live, as SQL: where nobody wrote it down, as long as any could. */
export const accessExpiry = `COALESCE(access_expires_at, last_used_at + ${accessTokenS.longest * 1000})`;
