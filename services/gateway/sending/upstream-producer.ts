// Room: what clients send: the check of their frames, messages on their way to Kafka, read marks and typing. What
// the system sends to clients is delivery's.

import { bodyToRecord } from '../../../lib/domain/message-body.ts';
import { GoChatError } from '../../../lib/errors.ts';
import type { GroupCommit } from '../../../lib/kafka/group-commit.ts';
import type { UpstreamMessage } from '../../../lib/kafka/records.ts';
import { topics } from '../../../lib/kafka/topics.ts';
import type { ClientFrameData } from '../../../lib/wire/frames.ts';
import type { Session } from '../sessions/session.ts';

export type UpstreamProducer = {
  /** Appends a message upstream. Rejects with UNAVAILABLE when the broker is away or too much is waiting. */
  append(session: Session, message: ClientFrameData['send-message']): Promise<void>;
};

/** Stamps messages and hands them to the group commit, in the order in which they came. */
export function createUpstreamProducer(deps: {
  commit: GroupCommit;
  gatewayId: string;
  bootId: string;
}): UpstreamProducer {
  return {
    async append(session, message) {
      const record: UpstreamMessage = {
        user_id: session.userId,
        conversation_id: message.conversationId,
        ...bodyToRecord(message),
        timestamp: Date.now(),
        gateway_id: deps.gatewayId,
        gateway_boot_id: deps.bootId,
        session_id: session.id,
      };
      try {
        await deps.commit.send(topics.upstream, message.conversationId, JSON.stringify(record));
      } catch (error) {
        if (error instanceof GoChatError) throw error;
        throw new GoChatError('UNAVAILABLE', 'The message could not be taken. Send it again.');
      }
    },
  };
}
