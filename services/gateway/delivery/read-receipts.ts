export type ReadReceipts = {
  /** Notifies users how far a reader has read: at once, or merged with later receipts within `spacingMs`. */
  notify(conversationId: string, readerId: string, seqId: number, userIds: readonly string[]): void;
};

/** How far a reader has read a conversation, and the users to notify. */
type Receipt = { conversationId: string; readerId: string; seqId: number; userIds: Set<string> };

/** The shortest time between two receipts of one reader in one conversation. */
export const spacingMs = 200;

/**
 * Each message that a user sends also says that the user has read the messages of others: in a busy group this is a
 * receipt per message. Only the furthest one matters. So the first receipt is sent at once, and those that follow within
 * `spacingMs` are merged into one.
 */
export function createReadReceipts(send: (receipt: Receipt) => void): ReadReceipts {
  /** Per conversation and reader whose last receipt is younger than `spacingMs`: the next receipt, maybe without users. */
  const recent = new Map<string, Receipt>();
  let timer: NodeJS.Timeout | undefined;

  function sendMerged(): void {
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
    if (!timer) timer = setTimeout(sendMerged, spacingMs).unref();
  }

  return {
    notify(conversationId, readerId, seqId, userIds) {
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
