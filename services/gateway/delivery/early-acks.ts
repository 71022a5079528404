import { LRUCache } from 'lru-cache';
import type { DownstreamAck } from '../../../lib/records/records.ts';

type Sent = Pick<DownstreamAck, 'session_id' | 'conversation_id' | 'client_msg_id' | 'seq_id' | 'duplicate'>;

export type EarlyAcks = {
  /**
   * True if a session may get this acknowledgement before the downstream record that carries it too. It may not if that
   * would change the order of the seq ids that the session sees: all messages before it have to be delivered, or be the
   * session's own and acknowledged.
   */
  mayAnswer(ack: Sent): boolean;
  /** Records that the session got the acknowledgement early. */
  answered(ack: Sent): void;
  /** True, once, if the session got the acknowledgement early. */
  wasAnswered(ack: Sent): boolean;
  /** Records that the sessions of this gateway got a message. */
  delivered(conversationId: string, seqId: number): void;
};

/** A conversation's last delivered seq id, and the session that got acknowledgements beyond it, up to which. */
type Progress = { delivered: number; sessionId: string; acknowledged: number };

/** Conversations whose progress is remembered. In others an acknowledgement waits for its record. */
const maxConversations = 10_000;
const maxAnswered = 20_000;

/** Decides which acknowledgements may overtake their downstream record. */
export function createEarlyAcks(): EarlyAcks {
  const progress = new LRUCache<string, Progress>({ max: maxConversations });
  const answered = new LRUCache<string, true>({ max: maxAnswered });
  const keyOf = ({ session_id, conversation_id, client_msg_id }: Sent) =>
    `${session_id} ${conversation_id} ${client_msg_id}`;

  return {
    mayAnswer({ session_id, conversation_id, seq_id, duplicate }) {
      if (duplicate) return true;
      const last = progress.get(conversation_id) ?? (seq_id === 1 ? unread : undefined);
      if (!last) return false;
      return (
        seq_id === last.delivered + 1 || (seq_id === last.acknowledged + 1 && session_id === last.sessionId)
      );
    },
    answered(ack) {
      answered.set(keyOf(ack), true);
      if (ack.duplicate) return;
      const delivered = progress.peek(ack.conversation_id)?.delivered ?? 0;
      progress.set(ack.conversation_id, {
        delivered,
        sessionId: ack.session_id,
        acknowledged: ack.seq_id,
      });
    },
    wasAnswered: (ack) => answered.delete(keyOf(ack)),
    delivered(conversationId, seqId) {
      const last = progress.get(conversationId);
      if (!last) progress.set(conversationId, { delivered: seqId, sessionId: '', acknowledged: 0 });
      else if (seqId > last.delivered) last.delivered = seqId;
    },
  };
}

const unread: Progress = { delivered: 0, sessionId: '', acknowledged: 0 };
