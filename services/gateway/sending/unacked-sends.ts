import { GoChatError } from '../../../lib/errors.ts';
import { createBacklog } from './backlog.ts';

const tooMany = new GoChatError(
  'UNAVAILABLE',
  'Too many messages wait to be stored. Send this one again shortly.',
);

type Send<S> = { session: S; conversationId: string; clientMsgId: string; at: number };

export type UnackedSends<S> = {
  /** Adds a send. Throws UNAVAILABLE while too many sends wait, because logic lags behind. */
  begin(session: S, conversationId: string, clientMsgId: string): void;
  /**
   * Removes a send that was acknowledged, even if its session is gone. Returns the seconds since `begin`, or undefined if
   * the send is not waiting (any more).
   */
  end(sessionId: string, conversationId: string, clientMsgId: string): number | undefined;
  /** Removes a send that will not be acknowledged. Returns false if it is not waiting (any more). */
  drop(sessionId: string, conversationId: string, clientMsgId: string): boolean;
  /** Number of waiting sends. */
  size(): number;
  /** How many sends may wait at present. */
  limit(): number;
  stop(): void;
};

/**
 * The sends of this gateway that wait for their acknowledgement. Their number shows how far logic lags behind. `onTimeout`
 * is called for a send that waits longer than the timeout.
 */
export function createUnackedSends<S extends { readonly id: string }>(options: {
  /** The maximum number of waiting sends; fewer are allowed in overload. */
  max: number;
  timeoutMs: number;
  onTimeout: (session: S, clientMsgId: string) => void;
  now?: () => number;
}): UnackedSends<S> {
  const { now = () => performance.now() } = options;
  // The oldest send comes first: a repeated send is deleted and set again.
  const waiting = new Map<string, Send<S>>();
  const backlog = createBacklog(options);
  const keyOf = (sessionId: string, conversationId: string, clientMsgId: string) =>
    `${sessionId} ${conversationId} ${clientMsgId}`;

  function expire(): void {
    const oldest = now() - options.timeoutMs;
    for (const [key, { session, clientMsgId, at }] of waiting) {
      if (at > oldest) return;
      waiting.delete(key);
      options.onTimeout(session, clientMsgId);
    }
  }

  const timer = setInterval(expire, Math.max(20, Math.min(1000, options.timeoutMs / 4)));
  return {
    begin(session, conversationId, clientMsgId) {
      if (waiting.size >= backlog.limit()) {
        backlog.refused();
        throw tooMany;
      }
      const key = keyOf(session.id, conversationId, clientMsgId);
      waiting.delete(key);
      waiting.set(key, { session, conversationId, clientMsgId, at: now() });
    },
    end(sessionId, conversationId, clientMsgId) {
      const key = keyOf(sessionId, conversationId, clientMsgId);
      const send = waiting.get(key);
      if (!send) return undefined;
      waiting.delete(key);
      const seconds = (now() - send.at) / 1000;
      backlog.note(seconds, waiting.size);
      return seconds;
    },
    drop: (sessionId, conversationId, clientMsgId) =>
      waiting.delete(keyOf(sessionId, conversationId, clientMsgId)),
    size: () => waiting.size,
    limit: backlog.limit,
    stop: () => clearInterval(timer),
  };
}
