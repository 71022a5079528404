// Room: handles what clients send: checks frames, produces messages to Kafka, forwards read marks and typing. Delivery
// handles what the system sends to clients.

import { bodyToRecord, fromClient } from '../../../lib/domain/message-body.ts';
import { GoChatError } from '../../../lib/errors.ts';
import type { GroupCommit } from '../../../lib/kafka/group-commit.ts';
import { topics } from '../../../lib/kafka/topics.ts';
import type { UpstreamMessage } from '../../../lib/records/records.ts';
import type { ClientFrameData } from '../../../lib/wire/frames.ts';
import type { Session } from '../sessions/session.ts';

export type UpstreamProducer = {
  /** Produces a message to the upstream topic. Rejects with UNAVAILABLE if Kafka fails or too many records are pending. */
  append(session: Session, message: ClientFrameData['send-message']): Promise<void>;
};

/** Builds upstream records from messages, and passes them to the group commit in the order of arrival. */
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
        ...bodyToRecord(fromClient(message)),
        timestamp: Date.now(),
        gateway_id: deps.gatewayId,
        gateway_boot_id: deps.bootId,
        session_id: session.id,
      };
      try {
        await deps.commit.send(topics.upstream, message.conversationId, JSON.stringify(record));
      } catch (error) {
        if (error instanceof GoChatError) throw error;
        throw new GoChatError('UNAVAILABLE', 'The message could not be accepted. Send it again.');
      }
    },
  };
}
