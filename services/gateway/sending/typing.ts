import { GoChatError, isRetryable } from '../../../lib/errors.ts';
import type { LogicClient } from '../../../lib/grpc/clients.ts';
import type { Session } from '../sessions/session.ts';

export type TypingNotices = {
  notice(session: Session, conversationId: string): void;
  forget(session: Session): void;
};

/** A notice says "is typing now"; a second one within this time says nothing new. */
const intervalMs = 2000;
const maxConversations = 20;
const maxInFlight = 200;

/**
 * Forwards typing frames to logic, at most one per session and conversation in two seconds. A late notice is worthless, so
 * a notice that cannot be forwarded at once is dropped.
 */
export function createTypingNotices(deps: {
  conversations: Pick<LogicClient['conversations'], 'notifyTyping'>;
  onRefused: (session: Session, error: GoChatError) => void;
}): TypingNotices {
  /** Per session id and conversation id: when the last notice was forwarded, in ms. */
  const lastNotices = new Map<string, Map<string, number>>();
  let inFlight = 0;

  function isDue(session: Session, conversationId: string): boolean {
    const times = lastNotices.get(session.id) ?? new Map<string, number>();
    lastNotices.set(session.id, times);
    const now = performance.now();
    const last = times.get(conversationId);
    if (last !== undefined && now - last < intervalMs) return false;
    times.delete(conversationId);
    times.set(conversationId, now);
    if (times.size > maxConversations) {
      const [oldest] = times.keys();
      if (oldest !== undefined) times.delete(oldest);
    }
    return true;
  }

  return {
    notice(session, conversationId) {
      if (inFlight >= maxInFlight || !isDue(session, conversationId)) return;
      inFlight += 1;
      deps.conversations
        .notifyTyping({ userId: session.userId, conversationId }, { deadlineMs: 2000 })
        .catch((error: unknown) => {
          if (error instanceof GoChatError && !isRetryable(error.code)) deps.onRefused(session, error);
        })
        .finally(() => {
          inFlight -= 1;
        });
    },
    forget: (session) => {
      lastNotices.delete(session.id);
    },
  };
}
