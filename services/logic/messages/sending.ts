import { randomUUID } from 'node:crypto';
import { withDeadline } from '../../../lib/async/deadline.ts';
import type { RecordBody } from '../../../lib/domain/message-body.ts';
import { GoChatError } from '../../../lib/errors.ts';
import type { GroupCommit } from '../../../lib/kafka/group-commit.ts';
import { type KafkaConnection, withAdmin } from '../../../lib/kafka/kafka.ts';
import { followTail } from '../../../lib/kafka/tail.ts';
import { ensureDownstreamTopic, topics } from '../../../lib/kafka/topics.ts';
import type { Logger } from '../../../lib/log.ts';
import type { DownstreamAck, DownstreamRecord, UpstreamMessage } from '../../../lib/records/records.ts';
import { notStoredInTime } from '../upstream/waiting-items.ts';

export type Draft = RecordBody & Pick<UpstreamMessage, 'user_id' | 'conversation_id'>;

export type Sending = {
  /**
   * Appends a message to the upstream topic and waits until it is stored. Rejects with the error of a refusal, or with
   * UNAVAILABLE if the message is not stored within 4.5 s.
   */
  send(draft: Draft): Promise<DownstreamAck>;
  /** Settles a send of this process before its downstream record does. False if another process sent it. */
  settle(ack: DownstreamAck, sentBy: Pick<UpstreamMessage, 'gateway_id' | 'gateway_boot_id'>): boolean;
  waiting(): number;
  stop(): Promise<void>;
};

type Waiting = { resolve(ack: DownstreamAck): void; reject(error: GoChatError): void };

/** Shorter than the deadline of the gateway's call, so that the gateway gets this error instead of a timeout. */
const deadlineMs = 4500;
const maxWaiting = 10_000;

/**
 * Sends messages over the upstream topic, as gateways do, so that one consumer orders all messages of a conversation.
 * This process receives the acknowledgements like a gateway, on a downstream topic of its own.
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
    const send = waiting.get(ack.session_id);
    if (!send) return;
    waiting.delete(ack.session_id);
    if (ack.error) send.reject(new GoChatError(ack.error.code, ack.error.message));
    else send.resolve(ack);
  }

  function onRecord(value: Buffer): void {
    try {
      const record: DownstreamRecord = JSON.parse(value.toString('utf8'));
      if (record.gateway_boot_id === bootId) record.acks.forEach(settle);
    } catch (error) {
      log.error({ err: error }, 'cannot read a downstream record');
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
        log.warn({ err: error }, 'cannot append to the upstream topic');
        one.reject(error instanceof GoChatError ? error : notStoredInTime());
      });
      return withDeadline(acknowledged, deadlineMs, () => {
        waiting.delete(sessionId);
        throw notStoredInTime();
      });
    },
    settle(ack, { gateway_id, gateway_boot_id }) {
      if (gateway_id !== receiverId || gateway_boot_id !== bootId) return false;
      settle(ack);
      return true;
    },
    waiting: () => waiting.size,
    stop: () => tail.stop(),
  };
}
