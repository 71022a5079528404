// Room: the records of a running storm. No checks may come in.

/** One send of a message over a socket. */
export type Attempt = { socket: number; at: number };

export type Ack = { seqId: number; messageId: number; duplicate: boolean; socket: number; at: number };

/** A message that a device sends, from its first attempt. */
export type Sent = {
  clientMsgId: string;
  conversationId: string;
  senderId: string;
  /** The device that sends the message, and retries until it is acknowledged. */
  device: string;
  content: string;
  attempts: Attempt[];
  acks: Ack[];
};

/** All sent messages, with their attempts and acknowledgements. */
export type Ledger = {
  readonly sent: ReadonlyMap<string, Sent>;
  enter(message: Pick<Sent, 'conversationId' | 'senderId' | 'device'>): Sent;
  find(clientMsgId: string): Sent | undefined;
  /** The messages without an acknowledgement. */
  waiting(): Sent[];
};

/** `name` is part of each clientMsgId, so that the messages of two storms in one system differ. */
export function createLedger(name: string): Ledger {
  const sent = new Map<string, Sent>();
  return {
    sent,
    enter(message) {
      const number = sent.size + 1;
      const clientMsgId = `${name}-${number}`;
      const entry = {
        ...message,
        clientMsgId,
        content: `${number} ⛈ ${clientMsgId}`,
        attempts: [],
        acks: [],
      };
      sent.set(clientMsgId, entry);
      return entry;
    },
    find: (clientMsgId) => sent.get(clientMsgId),
    waiting: () => [...sent.values()].filter(({ acks }) => acks.length === 0),
  };
}
