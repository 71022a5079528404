import { LRUCache } from 'lru-cache';
import type { SendAcknowledgement } from '../../../lib/gen/im_gateway/v1/pusher.ts';
import type { Recipients } from '../../../lib/gen/im_repo/v1/message.ts';
import type { GatewayPeers } from '../../../lib/grpc/gateway-peers.ts';
import type { Counter } from '../../../lib/metrics.ts';
import type { DownstreamAck, UpstreamMessage } from '../../../lib/records/records.ts';
import { ackOf } from './delivery.ts';
import type { Outcome } from './save.ts';

export type EarlyAcks = {
  /** Tells the gateways of the senders that their messages are stored. Waits for nothing, and nothing depends on it. */
  send(stored: readonly Outcome[]): void;
  /** Remembers where gateways can be called. */
  learn(recipients: Recipients): void;
};

/** The sends that this process made itself. */
export type OwnSends = {
  /** Answers a send. False if another process made it. */
  settle(ack: DownstreamAck, sentBy: Pick<UpstreamMessage, 'gateway_id' | 'gateway_boot_id'>): boolean;
};

/**
 * Larger batches show that messages come quickly after each other. Then calls cost the processors more than they win:
 * at 400 messages per second, early acknowledgements of all batches made the median 10 % worse.
 */
const maxMessages = 2;
const maxGateways = 1000;
/** Calls in flight per gateway. */
const maxCalls = 8;
const deadlineMs = 1000;

type Gateway = { bootId: string; pushAddress: string; calls: number };

/**
 * Sends acknowledgements straight to the gateways as soon as their messages are stored. The downstream record, for which
 * recipients are looked up and the broker is asked first, carries them too.
 */
export function createEarlyAcks(deps: {
  peers: GatewayPeers;
  ownSends: OwnSends;
  sent: Counter<'result'>;
}): EarlyAcks {
  const gateways = new LRUCache<string, Gateway>({ max: maxGateways });

  function call(gateway: Gateway, acknowledgements: SendAcknowledgement[]): void {
    if (gateway.calls >= maxCalls) return;
    gateway.calls += 1;
    deps.peers
      .of(gateway)
      .acknowledgeSends({ bootId: gateway.bootId, acknowledgements }, { deadlineMs })
      .then(
        () => deps.sent.inc({ result: 'ok' }),
        () => deps.sent.inc({ result: 'failed' }),
      )
      .finally(() => {
        gateway.calls -= 1;
      });
  }

  return {
    send(stored) {
      if (stored.length > maxMessages) return;
      const byGateway = new Map<Gateway, SendAcknowledgement[]>();
      for (const outcome of stored) {
        if (outcome.kind !== 'saved') continue;
        const { message } = outcome;
        const ack = ackOf(message, outcome.saved);
        if (deps.ownSends.settle(ack, message)) continue;
        const gateway = gateways.get(message.gateway_id);
        if (gateway?.bootId !== message.gateway_boot_id) continue;
        const acknowledgement = toMessage(ack);
        const some = byGateway.get(gateway);
        if (some) some.push(acknowledgement);
        else byGateway.set(gateway, [acknowledgement]);
      }
      for (const [gateway, acknowledgements] of byGateway) call(gateway, acknowledgements);
    },

    learn(recipients) {
      for (const { gatewayId, bootId, pushAddress } of recipients.gateways) {
        if (pushAddress === '' || gateways.get(gatewayId)?.bootId === bootId) continue;
        gateways.set(gatewayId, { bootId, pushAddress, calls: 0 });
      }
    },
  };
}

const toMessage = (ack: DownstreamAck): SendAcknowledgement => ({
  sessionId: ack.session_id,
  conversationId: ack.conversation_id,
  clientMsgId: ack.client_msg_id,
  messageId: ack.message_id,
  seqId: ack.seq_id,
  createdAt: ack.created_at,
  duplicate: ack.duplicate,
});
