// Room: delivers what the system sends to clients: downstream records and pushes, in order and without duplicates. It
// takes no frames from clients.

import { GoChatError, isRetryable } from '../../../lib/errors.ts';
import type { Logger } from '../../../lib/log.ts';
import { toWireMessage } from '../../../lib/records/message-facts.ts';
import type {
  DownstreamAck,
  DownstreamEvent,
  DownstreamMessage,
  DownstreamRecord,
} from '../../../lib/records/records.ts';
import type { GatewayMetrics } from '../metrics/gateway-metrics.ts';
import type { SendPace } from '../sending/send-pace.ts';
import type { UnackedSends } from '../sending/unacked-sends.ts';
import { encodeForeignFrame, encodeFrame } from '../sessions/frame-buffer.ts';
import type { Refuse } from '../sessions/refusal.ts';
import { forgetSent, isOwnCopy } from '../sessions/sent-messages.ts';
import type { Session } from '../sessions/session.ts';
import type { IsExcluded, Sessions } from '../sessions/sessions.ts';
import type { Departures } from './departures.ts';
import { createEarlyAcks } from './early-acks.ts';
import { createNewcomers } from './newcomers.ts';
import { createReadReceipts } from './read-receipts.ts';

export type Downstream = {
  /** Delivers a record of this gateway's topic. */
  deliver(value: Buffer): void;
  /** Sends acknowledgements that arrived before their records, where the order of the seq ids allows it. */
  acknowledge(acks: readonly DownstreamAck[], bootId: string): void;
};

/**
 * Delivers downstream records to sockets in the order of the topic. A frame is encoded once for all its recipients. A
 * record for an earlier process of this gateway (another boot id) is dropped, because its sessions are gone.
 */
export function createDownstream(deps: {
  bootId: string;
  sessions: Sessions;
  departures: Departures;
  unacked: UnackedSends<Session>;
  pace: Pick<SendPace, 'delivered'>;
  refuse: Refuse;
  metrics: GatewayMetrics;
  log: Logger;
}): Downstream {
  const { sessions, metrics, departures } = deps;
  const newcomers = createNewcomers();
  const early = createEarlyAcks();
  const receipts = createReadReceipts((receipt) => {
    const frame = receiptFrame(receipt);
    for (const userId of receipt.userIds) {
      // A user may have left since the message that caused this receipt.
      if (!departures.isGone(receipt.conversationId, userId))
        metrics.deliveries.inc(sessions.sendToUser(userId, frame));
    }
  });

  function deliverMessage(message: DownstreamMessage): number {
    const { conversation_id, client_msg_id, sender_info } = message;
    early.delivered(conversation_id, message.seq_id);
    const hasLeft = departures.hasLeftAfter(conversation_id, message.seq_id);
    const isExcluded = (session: Session) =>
      (session.userId === sender_info.id && isOwnCopy(session, conversation_id, client_msg_id)) ||
      hasLeft?.(session.userId) === true;
    const frame = encodeFrame('new-message', toWireMessage(message));
    const held = hold(message, frame, isExcluded);
    const isSkipped = held
      ? (session: Session) => held.has(session.userId) || isExcluded(session)
      : isExcluded;
    return deliverTo(message, frame, isSkipped) + deliverRead(message, isSkipped);
  }

  /**
   * A sender has read the conversation up to the message sent. Sends message-read to the sender's other sessions that
   * got the message, and to the users whose messages were read by that (`read_for`). Returns the number of frames.
   */
  function deliverRead(message: DownstreamMessage, isExcluded: IsExcluded): number {
    const { conversation_id: conversationId, sender_info, seq_id: seqId, read_for = [] } = message;
    const readerId = sender_info.id;
    const isOnline = (userId: string) => sessions.reaches(userId, isExcluded);
    receipts.notify(conversationId, readerId, seqId, read_for.filter(isOnline));
    if (!isTarget(message, readerId) || !isOnline(readerId)) return 0;
    return sessions.sendToUser(readerId, receiptFrame({ conversationId, readerId, seqId }), isExcluded);
  }

  function deliverEvent(event: DownstreamEvent): number {
    const frame = encodeForeignFrame(event.frame, event.data);
    const isExcluded = ({ id }: Session) => id === event.exclude_session_id;
    const added = joinedBy(event);
    const held = hold(event, frame, isExcluded, new Set(added));
    const sent = deliverTo(
      event,
      frame,
      held ? (session) => held.has(session.userId) || isExcluded(session) : isExcluded,
    );
    for (const userId of added) newcomers.announced(event.conversation_id ?? '', userId);
    for (const userId of leftBy(event)) newcomers.departed(event.conversation_id ?? '', userId);
    return sent;
  }

  /**
   * Holds a frame back for those of its targets who have not received the event yet that they joined. Returns their
   * user ids. `announcedByFrame`: the users who joined by this very frame.
   */
  function hold(
    targets: {
      conversation_id?: string;
      newcomer_ids?: string[];
      target_user_ids?: string[];
      target_user_id?: string;
    },
    frame: Buffer,
    isExcluded: IsExcluded,
    announcedByFrame: ReadonlySet<string> = noUsers,
  ): Set<string> | undefined {
    const { conversation_id: conversationId = '', newcomer_ids = [] } = targets;
    if (newcomer_ids.length === 0 && newcomers.held() === 0) return undefined;
    const newcomerIds = new Set(newcomer_ids);
    const held = new Set<string>();
    for (const userId of targets.target_user_ids ?? [targets.target_user_id ?? '']) {
      if (announcedByFrame.has(userId) || !newcomers.mustWait(conversationId, userId, newcomerIds)) continue;
      held.add(userId);
      newcomers.hold(conversationId, userId, () => {
        metrics.deliveries.inc(sessions.sendToUser(userId, frame, isExcluded));
      });
    }
    return held;
  }

  function deliverTo(
    targets: { target_user_id?: string; target_user_ids?: string[]; broadcast?: boolean },
    frame: Buffer,
    isExcluded: IsExcluded,
  ): number {
    if (targets.broadcast) return sessions.broadcast(frame, isExcluded);
    let sent = 0;
    for (const userId of targets.target_user_ids ?? [])
      sent += sessions.sendToUser(userId, frame, isExcluded);
    if (targets.target_user_id) sent += sessions.sendToUser(targets.target_user_id, frame, isExcluded);
    return sent;
  }

  function deliverAck(ack: DownstreamAck): number {
    if (early.wasAnswered(ack)) return 0;
    return answer(ack, deps.unacked.end(ack.session_id, ack.conversation_id, ack.client_msg_id));
  }

  /** Answers a send. `seconds`: how long it waited; undefined if it does not wait any more. */
  function answer(ack: DownstreamAck, seconds: number | undefined): number {
    const session = sessions.get(ack.session_id);
    if (!session) return 0;
    if (ack.error) {
      // After a retryable error the message may still be stored. Then this session must not get its own copy.
      if (!isRetryable(ack.error.code)) forgetSent(session, ack.conversation_id, ack.client_msg_id);
      deps.refuse(session, new GoChatError(ack.error.code, ack.error.message), ack.client_msg_id);
      return 1;
    }
    if (seconds !== undefined) metrics.ack.observe(seconds);
    sessions.send(session, 'message-ack', {
      clientMsgId: ack.client_msg_id,
      conversationId: ack.conversation_id,
      messageId: ack.message_id,
      seqId: ack.seq_id,
      createdAt: ack.created_at,
      duplicate: ack.duplicate,
    });
    return 1;
  }

  function deliverRecord(record: DownstreamRecord): void {
    let frames = 0;
    const acks = acksByConversation(record.acks);
    for (const message of record.messages) {
      // Deliver the acks between the messages by seq id, so that a sender's own messages keep their place, too.
      const own = acks.get(message.conversation_id);
      while (own?.[0] && own[0].seq_id < message.seq_id) {
        frames += deliverAck(own[0]);
        own.shift();
      }
      frames += deliverMessage(message);
    }
    for (const own of acks.values()) for (const ack of own) frames += deliverAck(ack);
    for (const event of record.events) {
      frames += deliverEvent(event);
      departures.record(event);
    }
    metrics.deliveries.inc(frames);
    metrics.deliveryBatch.observe(frames);
  }

  return {
    deliver(value) {
      let record: DownstreamRecord;
      try {
        record = JSON.parse(value.toString('utf8'));
      } catch (error) {
        deps.log.error({ err: error }, 'cannot parse a downstream record');
        metrics.staleRecords.inc();
        return;
      }
      if (record.gateway_boot_id !== deps.bootId) {
        metrics.staleRecords.inc();
        return;
      }
      const started = performance.now();
      try {
        deliverRecord(record);
        // Immediates run in order: this one follows the one that writes the record's frames to the sockets.
        setImmediate(() => deps.pace.delivered(performance.now() - started));
      } catch (error) {
        // One invalid record must not stop the delivery of later records.
        deps.log.error({ err: error }, 'cannot deliver a downstream record');
      }
    },

    acknowledge(acks, bootId) {
      if (bootId !== deps.bootId) return;
      for (const ack of acks) {
        if (!early.mayAnswer(ack)) continue;
        const seconds = deps.unacked.end(ack.session_id, ack.conversation_id, ack.client_msg_id);
        // The record was quicker, or the send was given up.
        if (seconds === undefined) continue;
        early.answered(ack);
        metrics.deliveries.inc(answer(ack, seconds));
      }
    },
  };
}

const receiptFrame = (receipt: { conversationId: string; readerId: string; seqId: number }): Buffer =>
  encodeFrame('message-read', {
    conversationId: receipt.conversationId,
    userId: receipt.readerId,
    seqId: receipt.seqId,
  });

const noUsers: ReadonlySet<string> = new Set();

/** The users who joined or left by an event. Another version of im-logic may omit the list. */
const joinedBy = (event: DownstreamEvent): string[] =>
  event.frame === 'member-added' ? (event.data.members ?? []).map(({ id }) => id) : [];
const leftBy = (event: DownstreamEvent): string[] =>
  event.frame === 'member-removed' ? (event.data.userIds ?? []) : [];

const isTarget = (message: DownstreamMessage, userId: string): boolean =>
  message.broadcast === true ||
  message.target_user_id === userId ||
  message.target_user_ids?.includes(userId) === true;

function acksByConversation(acks: DownstreamAck[]): Map<string, DownstreamAck[]> {
  const byConversation = new Map<string, DownstreamAck[]>();
  for (const ack of acks) {
    const own = byConversation.get(ack.conversation_id);
    if (own) own.push(ack);
    else byConversation.set(ack.conversation_id, [ack]);
  }
  return byConversation;
}
