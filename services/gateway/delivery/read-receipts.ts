export type ReadReceipts = {
  /** Tells users how far somebody has read a conversation: at once, or together with what follows within `spacingMs`. */
  tell(conversationId: string, readerId: string, seqId: number, userIds: readonly string[]): void;
};

/** What somebody read in a conversation since that was told last. */
type Receipt = { conversationId: string; readerId: string; seqId: number; userIds: Set<string> };

export const spacingMs = 200;

/**
 * Every message that somebody sends tells others that its sender has read theirs: in a busy group a frame for each of
 * them. Only the furthest says anything. So the first is sent at once, and those that follow within `spacingMs` become
 * one.
 */
export function createReadReceipts(send: (receipt: Receipt) => void): ReadReceipts {
  /** By conversation and reader, while less than `spacingMs` has passed since the last was sent. */
  const recent = new Map<string, Receipt>();
  let timer: NodeJS.Timeout | undefined;

  function sendFollowing(): void {
    timer = undefined;
    for (const [key, receipt] of recent) {
      const { userIds } = receipt;
      if (userIds.size === 0) {
        recent.delete(key);
        continue;
      }
      send(receipt);
      receipt.userIds = new Set();
    }
    if (recent.size > 0) start();
  }

  function start(): void {
    if (!timer) timer = setTimeout(sendFollowing, spacingMs).unref();
  }

  return {
    tell(conversationId, readerId, seqId, userIds) {
      if (userIds.length === 0) return;
      const key = `${conversationId} ${readerId}`;
      const receipt = recent.get(key);
      if (receipt) {
        receipt.seqId = Math.max(receipt.seqId, seqId);
        for (const userId of userIds) receipt.userIds.add(userId);
        return;
      }
      send({ conversationId, readerId, seqId, userIds: new Set(userIds) });
      recent.set(key, { conversationId, readerId, seqId, userIds: new Set() });
      start();
    },
  };
}
