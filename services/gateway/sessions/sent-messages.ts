/** What a session sent, by conversation and clientMsgId. Made with the first send: a session that only reads has none. */
export type SentMessages = {
  /** Accepted, and its own copy has not come by yet. */
  readonly waiting: Set<string>;
  /** The last ones whose copy came by: after a failure a message may be delivered again. */
  readonly delivered: Set<string>;
};

type Sender = { sent?: SentMessages };

const mostWaiting = 1024;
/** More than a session can send between two commits of logic. */
const mostDelivered = 64;

const keyOf = (conversationId: string, clientMsgId: string): string => `${conversationId} ${clientMsgId}`;

/** Notes that a session sent a message: it gets the acknowledgement instead of the message itself. */
export function noteSent(session: Sender, conversationId: string, clientMsgId: string): void {
  session.sent ??= { waiting: new Set(), delivered: new Set() };
  addBounded(session.sent.waiting, keyOf(conversationId, clientMsgId), mostWaiting);
}

/** Forgets a message that will not be stored. */
export function forgetSent(session: Sender, conversationId: string, clientMsgId: string): void {
  session.sent?.waiting.delete(keyOf(conversationId, clientMsgId));
}

/** Whether a message that is being delivered to the sender's sessions was sent by this one. */
export function isOwnCopy({ sent }: Sender, conversationId: string, clientMsgId: string): boolean {
  if (!sent) return false;
  const key = keyOf(conversationId, clientMsgId);
  if (!sent.waiting.delete(key)) return sent.delivered.has(key);
  addBounded(sent.delivered, key, mostDelivered);
  return true;
}

/** Adds to a set that drops its oldest. */
function addBounded(set: Set<string>, key: string, most: number): void {
  set.delete(key);
  set.add(key);
  if (set.size <= most) return;
  const [oldest] = set;
  if (oldest !== undefined) set.delete(oldest);
}
