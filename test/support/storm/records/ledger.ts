// Room: what the storm writes down while it runs. It judges nothing.

/** One time that a message was handed to a socket. */
export type Attempt = { socket: number; at: number };

export type Ack = { seqId: number; messageId: number; duplicate: boolean; socket: number; at: number };

/** A message from the moment somebody wanted to send it. */
export type Sent = {
  clientMsgId: string;
  conversationId: string;
  senderId: string;
  /** The device that sends it, and tries again until it is acknowledged. */
  device: string;
  content: string;
  attempts: Attempt[];
  acks: Ack[];
};

/** The book of all that was sent, and what became of it. */
export type Ledger = {
  readonly sent: ReadonlyMap<string, Sent>;
  enter(message: Pick<Sent, 'conversationId' | 'senderId' | 'device'>): Sent;
  find(clientMsgId: string): Sent | undefined;
  /** Those that wait for their acknowledgement. */
  waiting(): Sent[];
};

/** `name` keeps the messages of two storms in one system apart. */
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
