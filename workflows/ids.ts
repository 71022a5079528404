/** Every workflow id and task queue is named here. */

export const taskQueues = {
  /** Flows that somebody waits for. */
  interactive: 'gochat-interactive',
  fanout: 'gochat-fanout',
  maintenance: 'gochat-maintenance',
} as const;

/** Two user ids as "low:high" by number: the same for both directions. */
export function pairKey(a: string, b: string): string {
  return BigInt(a) < BigInt(b) ? `${a}:${b}` : `${b}:${a}`;
}

export const friendRequestId = (a: string, b: string): string => `friend-request/${pairKey(a, b)}`;
export const createGroupId = (conversationId: string): string => `create-group/${conversationId}`;
export const changeMembersId = (conversationId: string, key: string): string =>
  `change-members/${conversationId}/${key}`;
export const eraseUserId = (userId: string): string => `erase-user/${userId}`;
export const fanoutId = (conversationId: string): string => `fanout/${conversationId}`;
/** Where a record lies in its topic. A topic that is made anew begins with offset 0 again; its times go on. */
export type RecordPlace = {
  partition: number;
  offset: string;
  /** Kafka's time of the record, Unix milliseconds. */
  timestamp: string;
};

/** Named by the first of its disconnects: its place in gochat.user-events. */
export const confirmOfflineId = ({ partition, offset, timestamp }: RecordPlace): string =>
  `confirm-offline/${partition}/${offset}/${timestamp}`;

/** Schedules, and with a time behind them the runs that they start. */
export const scheduleIds = {
  cleanupExpiredStatus: 'cleanup-expired-status',
  purgeGuests: 'purge-guests',
  reconcileCounters: 'reconcile-counters',
} as const;
