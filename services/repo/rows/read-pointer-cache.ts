import { cacheKey, cacheKind } from '../cache/cache.ts';

/** A user's read pointers: the last read seq id by conversation id. */
export type ReadPointers = Record<string, number>;

export const userUnread = cacheKind<ReadPointers>('user:unread', 10 * 60_000);
export const unreadKey = (userId: string): string => cacheKey(userUnread, userId);
