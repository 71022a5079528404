import type { Activities } from '../../../activities/index.ts';
import { friendRequestStatus } from '../../../lib/domain/enumerations.ts';
import type { Refusal } from '../../../workflows/contracts/refusal.ts';

type FriendshipActivities = Pick<
  Activities,
  'createFriendRequest' | 'settleFriendRequest' | 'findFriendRequest' | 'openSingleConversation'
>;
type Row = {
  requestId: string;
  requesterId: string;
  targetId: string;
  status: number;
  expiresAt: number;
};

export type FriendRows = {
  activities: FriendshipActivities;
  rows: Row[];
  friends: boolean;
  /** If set, requests are refused before this time, Unix milliseconds. */
  coolingUntil?: number;
  conversationsOpened: number;
  /** How often opening the conversation fails before it succeeds. Each failure decrements it. */
  failuresToOpen: number;
};

const refusal = (code: Refusal['code']): Refusal => ({ ok: false, code, message: code });

/**
 * im-repo's rules for the friend requests of one pair, in memory, for cases that the real im-repo cannot produce,
 * such as a clock that skips thirty days.
 */
export function createFriendRows({
  now,
  ttlMs,
}: {
  now: () => number | Promise<number>;
  ttlMs: number;
}): FriendRows {
  const storage: Omit<FriendRows, 'activities'> = {
    rows: [],
    friends: false,
    conversationsOpened: 0,
    failuresToOpen: 0,
  };
  const activities: FriendshipActivities = {
    async createFriendRequest({ requesterId, targetId }) {
      if (storage.friends) return refusal('ALREADY_FRIENDS');
      const pending = storage.rows.find(({ status }) => status === friendRequestStatus.pending);
      if (pending) return { ok: true, ...pending };
      if (storage.coolingUntil) return { ...refusal('RATE_LIMITED'), retryAt: storage.coolingUntil };
      const requestId = `r${storage.rows.length + 1}`;
      const row = {
        requestId,
        requesterId,
        targetId,
        status: friendRequestStatus.pending,
        expiresAt: (await now()) + ttlMs,
      };
      storage.rows.push(row);
      return { ok: true, ...row };
    },
    async settleFriendRequest({ requestId, actorId, status }) {
      const row = storage.rows.find((candidate) => candidate.requestId === requestId);
      if (!row) return refusal('REQUEST_NOT_FOUND');
      const allowed = status === friendRequestStatus.withdrawn ? row.requesterId : row.targetId;
      if (status !== friendRequestStatus.expired && actorId !== allowed) return refusal('PERMISSION_DENIED');
      if (row.status !== friendRequestStatus.pending && row.status !== status)
        return refusal('REQUEST_ALREADY_HANDLED');
      row.status = status;
      if (status === friendRequestStatus.accepted) storage.friends = true;
      return { ok: true, ...row };
    },
    async findFriendRequest() {
      const row = storage.rows.at(-1);
      return row ? { ok: true, ...row } : refusal('REQUEST_NOT_FOUND');
    },
    async openSingleConversation() {
      if (storage.failuresToOpen-- > 0) throw new Error('im-repo is away');
      storage.conversationsOpened += 1;
      return { ok: true, conversationId: 'c1' };
    },
  };
  return Object.assign(storage, { activities });
}
