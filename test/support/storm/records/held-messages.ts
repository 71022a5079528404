export type Held = { messageId: number; clientMsgId: string };

/** The messages that a device has of each conversation, by seq id. */
export type HeldMessages = {
  /** Sets the first position: the device must have all messages after it; earlier ones are not part of the storm. */
  startAt(conversationId: string, seqId: number): void;
  /** Stores a message; false if the device has another message with this seq id. */
  keep(conversationId: string, seqId: number, held: Held): boolean;
  /** The last seq id up to which no message is missing: the cursor for the next sync. */
  edge(conversationId: string): number;
  of(conversationId: string): ReadonlyMap<number, Held>;
  conversationIds(): string[];
};

export function createHeldMessages(): HeldMessages {
  const held = new Map<string, Map<number, Held>>();
  const edges = new Map<string, number>();

  return {
    startAt(conversationId, seqId) {
      held.set(conversationId, new Map());
      edges.set(conversationId, seqId);
    },
    keep(conversationId, seqId, message) {
      const messages = held.get(conversationId);
      if (!messages) return false;
      const known = messages.get(seqId);
      if (known) return known.messageId === message.messageId && known.clientMsgId === message.clientMsgId;
      messages.set(seqId, message);
      let edge = edges.get(conversationId) ?? 0;
      while (messages.has(edge + 1)) edge += 1;
      edges.set(conversationId, edge);
      return true;
    },
    edge: (conversationId) => edges.get(conversationId) ?? 0,
    of: (conversationId) => held.get(conversationId) ?? new Map(),
    conversationIds: () => [...held.keys()],
  };
}
