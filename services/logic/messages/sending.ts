import { randomUUID } from 'node:crypto';
import { withDeadline } from '../../../lib/async/deadline.ts';
import type { RecordBody } from '../../../lib/domain/message-body.ts';
import { GoChatError } from '../../../lib/errors.ts';
import type { GroupCommit } from '../../../lib/kafka/group-commit.ts';
import { type KafkaConnection, withAdmin } from '../../../lib/kafka/kafka.ts';
import type { DownstreamAck, DownstreamRecord, UpstreamMessage } from '../../../lib/kafka/records.ts';
import { followTail } from '../../../lib/kafka/tail.ts';
import { ensureDownstreamTopic, topics } from '../../../lib/kafka/topics.ts';
import type { Logger } from '../../../lib/log.ts';

export type Draft = RecordBody & Pick<UpstreamMessage, 'user_id' | 'conversation_id'>;

export type Sending = {
  /** Appends a message upstream and waits until it is stored. Rejects with its refusal, or UNAVAILABLE in time. */
  send(draft: Draft): Promise<DownstreamAck>;
  waiting(): number;
  stop(): Promise<void>;
};

type Waiting = { resolve(ack: DownstreamAck): void; reject(error: GoChatError): void };

/** Shorter than the caller's own, so that the caller reads why. */
const deadlineMs = 4500;
const maxWaiting = 10_000;

/**
 * Sends that come without a socket take the same way as all others, so that one consumer orders a conversation.
 * This process receives their acknowledgements as a gateway does: on a downstream topic of its own.
 */
export async function startSending(deps: {
  kafka: KafkaConnection;
  upstream: GroupCommit;
  receiverId: string;
  log: Logger;
  topic?: string;
}): Promise<Sending> {
  const { kafka, upstream, receiverId, log } = deps;
  const topic = deps.topic ?? topics.upstream;
  const bootId = randomUUID();
  const waiting = new Map<string, Waiting>();
  let lastNumber = 0;

  function settle(ack: DownstreamAck): void {
    const one = waiting.get(ack.session_id);
    if (!one) return;
    waiting.delete(ack.session_id);
    if (ack.error) one.reject(new GoChatError(ack.error.code, ack.error.message));
    else one.resolve(ack);
  }

  function onRecord(value: Buffer): void {
    try {
      const record: DownstreamRecord = JSON.parse(value.toString('utf8'));
      if (record.gateway_boot_id === bootId) record.acks.forEach(settle);
    } catch (error) {
      log.error({ err: error }, 'unreadable downstream record');
    }
  }

  await withAdmin(kafka, (admin) => ensureDownstreamTopic(admin, receiverId));
  const tail = await followTail(kafka, {
    topic: topics.downstream(receiverId),
    groupId: `gochat-${receiverId}-${bootId}`,
    onRecord,
  });

  return {
    async send(draft) {
      if (waiting.size >= maxWaiting) {
        throw new GoChatError(
          'UNAVAILABLE',
          'Too many messages are waiting to be stored. Try again shortly.',
        );
      }
      const sessionId = `rest:${++lastNumber}`;
      const message: UpstreamMessage = {
        ...draft,
        timestamp: Date.now(),
        gateway_id: receiverId,
        gateway_boot_id: bootId,
        session_id: sessionId,
      };
      const acknowledged = new Promise<DownstreamAck>((resolve, reject) => {
        waiting.set(sessionId, { resolve, reject });
      });
      upstream.send(topic, draft.conversation_id, JSON.stringify(message)).catch((error: unknown) => {
        const one = waiting.get(sessionId);
        if (!one) return;
        waiting.delete(sessionId);
        log.warn({ err: error }, 'cannot append upstream');
        one.reject(error instanceof GoChatError ? error : tooLate());
      });
      return withDeadline(acknowledged, deadlineMs, () => {
        waiting.delete(sessionId);
        throw tooLate();
      });
    },
    waiting: () => waiting.size,
    stop: () => tail.stop(),
  };
}

const tooLate = () =>
  new GoChatError(
    'UNAVAILABLE',
    'The message was not stored in time. Send it again with the same clientMsgId.',
  );
