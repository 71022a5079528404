import { GoChatError } from '../../../lib/errors.ts';
import type { Push, PusherServiceService } from '../../../lib/gen/im_gateway/v1/pusher.ts';
import type { UserLocation } from '../../../lib/gen/im_repo/v1/online_status.ts';
import type { RepoClient } from '../../../lib/grpc/clients.ts';
import type { UnaryHandlers } from '../../../lib/grpc/definition.ts';
import type { GatewayPeers } from '../../../lib/grpc/gateway-peers.ts';
import type { Logger } from '../../../lib/log.ts';
import type { GatewayMetrics } from '../metrics/gateway-metrics.ts';
import { encodeForeignFrame } from '../sessions/frame-buffer.ts';
import type { Session } from '../sessions/session.ts';
import type { Sessions } from '../sessions/sessions.ts';
import type { Departures } from './departures.ts';
import type { Downstream } from './downstream.ts';
import type { SeenEvents } from './seen-events.ts';

const forwardDeadlineMs = 2000;

/** Delivers frames of other services to the sockets of users, on this gateway and on the others. */
export function createPusherService(deps: {
  sessions: Sessions;
  presence: Pick<RepoClient['presence'], 'locateUsers'>;
  peers: GatewayPeers;
  departures: Pick<Departures, 'isGone'>;
  seen: SeenEvents;
  downstream: Pick<Downstream, 'acknowledge'>;
  gatewayId: string;
  metrics: GatewayMetrics;
  log: Logger;
}): UnaryHandlers<typeof PusherServiceService> {
  const { sessions, departures, seen, metrics, log } = deps;

  function deliver(push: Push): number {
    const data = parseData(push);
    const frame = encodeForeignFrame(push.type, data);
    const conversationId = push.type === 'conversation-updated' ? conversationOf(data) : undefined;
    const isExcluded = ({ id }: Session) => id === push.excludeSessionId;
    let delivered = 0;
    for (const userId of push.userIds) {
      if (seen.has(push.eventId, push.type, userId)) continue;
      // A push can overtake member-removed or follow it. After member-removed, nothing of the conversation may follow.
      if (conversationId !== undefined && departures.isGone(conversationId, userId)) continue;
      const sent = sessions.sendToUser(userId, frame, isExcluded);
      if (sent > 0) seen.add(push.eventId, push.type, userId);
      delivered += sent;
    }
    return delivered;
  }

  /**
   * Forwards pushes to the other gateways that hold sessions of their users. If one of these gateways fails, the others
   * get their pushes all the same; then the call rejects with UNAVAILABLE.
   */
  async function forward(pushes: readonly Push[]): Promise<number> {
    const userIds = [...new Set(pushes.flatMap((push) => push.userIds))];
    if (userIds.length === 0) return 0;
    const { locations } = await deps.presence.locateUsers({ userIds }, { deadlineMs: forwardDeadlineMs });
    const elsewhere = locations.filter(({ gateway }) => gateway && gateway.gatewayId !== deps.gatewayId);
    const results = await Promise.allSettled(elsewhere.map((location) => forwardTo(location, pushes)));
    if (results.some(({ status }) => status === 'rejected')) {
      throw new GoChatError('UNAVAILABLE', 'A gateway could not be reached. Send the push again.');
    }
    return results.reduce((sum, result) => sum + (result.status === 'fulfilled' ? result.value : 0), 0);
  }

  async function forwardTo({ gateway, userIds }: UserLocation, pushes: readonly Push[]): Promise<number> {
    if (!gateway) return 0;
    const there = new Set(userIds);
    const theirs = pushes
      .map((push) => ({ ...push, userIds: push.userIds.filter((userId) => there.has(userId)) }))
      .filter((push) => push.userIds.length > 0);
    try {
      const { delivered } = await deps.peers
        .of(gateway)
        .pushToUsers({ pushes: theirs, localOnly: true }, { deadlineMs: forwardDeadlineMs });
      metrics.forwards.inc({ result: 'ok' });
      return delivered;
    } catch (error) {
      metrics.forwards.inc({ result: 'failed' });
      log.warn({ err: error, gateway: gateway.gatewayId }, 'cannot forward a push');
      throw error;
    }
  }

  return {
    async pushToUsers({ pushes, localOnly }) {
      let delivered = 0;
      for (const push of pushes) delivered += deliver(push);
      if (!localOnly) delivered += await forward(pushes);
      return { delivered };
    },

    async acknowledgeSends({ bootId, acknowledgements }) {
      deps.downstream.acknowledge(
        acknowledgements.map((ack) => ({
          session_id: ack.sessionId,
          conversation_id: ack.conversationId,
          client_msg_id: ack.clientMsgId,
          message_id: ack.messageId,
          seq_id: ack.seqId,
          created_at: ack.createdAt,
          duplicate: ack.duplicate,
        })),
        bootId,
      );
      return {};
    },
  };
}

function conversationOf(data: unknown): string | undefined {
  const { conversation } = (data ?? {}) as { conversation?: { id?: unknown } };
  return typeof conversation?.id === 'string' ? conversation.id : undefined;
}

function parseData(push: Push): unknown {
  if (push.dataJson === '') return undefined;
  try {
    return JSON.parse(push.dataJson);
  } catch {
    throw new GoChatError('INVALID_ARGUMENT', `The data of a ${push.type} push is not JSON.`);
  }
}
