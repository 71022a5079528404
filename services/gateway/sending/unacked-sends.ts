import { GoChatError } from '../../../lib/errors.ts';
import { createBacklog } from './backlog.ts';

const tooMany = new GoChatError('UNAVAILABLE', 'Too many messages wait to be stored. Send it again shortly.');

type Send<S> = { session: S; conversationId: string; clientMsgId: string; at: number };

export type UnackedSends<S> = {
  /** Notes a send. Throws UNAVAILABLE while too many wait: logic lags behind. */
  begin(session: S, conversationId: string, clientMsgId: string): void;
  /**
   * Takes a send out that was acknowledged, whether its session is still there or not. Answers how many seconds it took,
   * or undefined when it is not waiting (any more).
   */
  end(sessionId: string, conversationId: string, clientMsgId: string): number | undefined;
  /** Takes a send out that will not be acknowledged. False when it is not waiting (any more). */
  drop(sessionId: string, conversationId: string, clientMsgId: string): boolean;
  size(): number;
  /** How many may wait at present. */
  most(): number;
  stop(): void;
};

/**
 * The sends of this gateway that wait for their acknowledgement. Their number tells how far logic lags; what waits
 * longer than the timeout is told to its sender as retryable.
 */
export function createUnackedSends<S extends { readonly id: string }>(options: {
  /** Of those that wait at once; fewer while acknowledgements are slow. */
  most: number;
  timeoutMs: number;
  onTimeout: (session: S, clientMsgId: string) => void;
  now?: () => number;
}): UnackedSends<S> {
  const { now = () => performance.now() } = options;
  // In the order of their beginning, since a repeat is set anew: the oldest comes first.
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
      if (waiting.size >= backlog.most()) {
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
    most: backlog.most,
    stop: () => clearInterval(timer),
  };
}
