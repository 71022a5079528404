import { GoChatError, isRetryable } from '../../../lib/errors.ts';
import type { LogicClient } from '../../../lib/grpc/clients.ts';
import type { Session } from '../sessions/session.ts';

export type TypingNotices = {
  notice(session: Session, conversationId: string): void;
  forget(session: Session): void;
};

/** A notice says "is typing now"; another one so soon says nothing new. */
const intervalMs = 2000;
const maxConversations = 20;
const maxInFlight = 200;

/**
 * Passes typing frames on, at most one a session and conversation in two seconds. They are worth nothing later, so
 * what cannot be passed on at once is dropped.
 */
export function createTypingNotices(deps: {
  conversations: Pick<LogicClient['conversations'], 'notifyTyping'>;
  onRefused: (session: Session, error: GoChatError) => void;
}): TypingNotices {
  const noticed = new Map<string, Map<string, number>>();
  let inFlight = 0;

  function isNew(session: Session, conversationId: string): boolean {
    const times = noticed.get(session.id) ?? new Map<string, number>();
    noticed.set(session.id, times);
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
      if (inFlight >= maxInFlight || !isNew(session, conversationId)) return;
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
      noticed.delete(session.id);
    },
  };
}
