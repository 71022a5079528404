/** Messages that a session sent, by `keyOf`. Created by the first send, so that a session that only reads has none. */
export type SentMessages = {
  /** Accepted messages whose own copy has not been delivered yet. */
  readonly waiting: Set<string>;
  /** The latest messages whose own copy was delivered: after a failure, a message may be delivered again. */
  readonly delivered: Set<string>;
};

type Sender = { sent?: SentMessages };

const maxWaiting = 1024;
/** More than a session can send between two commits of logic. */
const maxDelivered = 64;

const keyOf = (conversationId: string, clientMsgId: string): string => `${conversationId} ${clientMsgId}`;

/** Records that a session sent a message: the session gets the acknowledgement instead of its own copy. */
export function noteSent(session: Sender, conversationId: string, clientMsgId: string): void {
  session.sent ??= { waiting: new Set(), delivered: new Set() };
  addBounded(session.sent.waiting, keyOf(conversationId, clientMsgId), maxWaiting);
}

/** Forgets a message that will not be stored. */
export function forgetSent(session: Sender, conversationId: string, clientMsgId: string): void {
  session.sent?.waiting.delete(keyOf(conversationId, clientMsgId));
}

/** True if this session sent the message. Call it once per delivery: it moves the message to `delivered`. */
export function isOwnCopy({ sent }: Sender, conversationId: string, clientMsgId: string): boolean {
  if (!sent) return false;
  const key = keyOf(conversationId, clientMsgId);
  if (!sent.waiting.delete(key)) return sent.delivered.has(key);
  addBounded(sent.delivered, key, maxDelivered);
  return true;
}

/** Adds a key to a set, and removes the oldest key if there are more than `max`. */
function addBounded(set: Set<string>, key: string, max: number): void {
  set.delete(key);
  set.add(key);
  if (set.size <= max) return;
  const [oldest] = set;
  if (oldest !== undefined) set.delete(oldest);
}
