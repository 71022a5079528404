import { cacheKey, cacheKind } from '../cache/cache.ts';

/** A user's read pointers: last read seq id by conversation. */
export type ReadPointers = Record<string, number>;

export const userUnread = cacheKind<ReadPointers>('user:unread', 10 * 60_000);
export const unreadKey = (userId: string): string => cacheKey(userUnread, userId);
