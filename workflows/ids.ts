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
export const fanoutId = (conversationId: string): string => `fanout/${conversationId}`;
