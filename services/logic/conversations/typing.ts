import { randomUUID } from 'node:crypto';
import { conversationType, memberRole } from '../../../lib/domain/enumerations.ts';
import { limits } from '../../../lib/domain/limits.ts';
import type { ConversationWithDetails } from '../../../lib/gen/im_repo/v1/conversation.ts';
import type { RepoClient } from '../../../lib/grpc/clients.ts';
import { createDownstreamWriter, encodeEvent, eventTargets } from '../../../lib/records/downstream-writer.ts';
import { type Delivery, emptyDelivery } from '../upstream/delivery.ts';

/** Sends a typing indicator to the other members who are online. Rejects if the user is no member. */
export type Typing = (userId: string, conversationId: string) => Promise<void>;

const maxInFlight = 1000;

export function createTyping(deps: {
  repo: Pick<RepoClient, 'conversations' | 'friendships' | 'messages'>;
  deliver: (delivery: Delivery) => Promise<void>;
}): Typing {
  const { repo, deliver } = deps;
  let inFlight = 0;

  /** False if the user may not send messages: then nobody gets the indicator. */
  async function mayWrite(userId: string, details: ConversationWithDetails): Promise<boolean> {
    const { conversation, userMembership, peer } = details;
    if (!conversation || !userMembership || userMembership.muted) return false;
    if (conversation.settings?.muteAll && userMembership.role < memberRole.admin) return false;
    if (conversation.type !== conversationType.single) return true;
    if (!peer) return false;
    const { relationships } = await repo.friendships.getRelationships({ userId, otherUserIds: [peer.id] });
    return relationships.some(({ friends, blocking, blockedBy }) => friends && !blocking && !blockedBy);
  }

  return async (userId, conversationId) => {
    const { conversation: details } = await repo.conversations.getConversation({ userId, conversationId });
    const conversation = details?.conversation;
    if (!details || !conversation || conversation.memberCount > limits.directMembers) return;
    if (conversation.type === conversationType.world) return;
    if (!(await mayWrite(userId, details))) return;

    const { recipients: found } = await repo.messages.resolveRecipients({
      queries: [{ conversationId, extraUserIds: [] }],
      stored: [],
    });
    const [recipients] = found;
    if (!recipients) return;
    const writer = createDownstreamWriter();
    const delivery = emptyDelivery();
    const event = encodeEvent({
      event_id: randomUUID(),
      frame: 'typing-indicator',
      data: { conversationId, userId },
      conversation_id: conversationId,
    });
    for (const { gatewayId, bootId, userIds } of recipients.gateways) {
      const others = userIds.filter((id) => id !== userId);
      if (others.length === 0) continue;
      const targets = eventTargets(others, recipients.newcomerIds);
      writer.event({ receiverId: gatewayId, bootId }, conversationId, targets, event);
      delivery.live.add(gatewayId);
    }
    delivery.records = writer.records();
    // The caller does not wait for the produce. While the broker is down, further indicators are dropped.
    if (delivery.records.length === 0 || inFlight >= maxInFlight) return;
    inFlight += 1;
    deliver(delivery)
      .catch(() => undefined)
      .finally(() => {
        inFlight -= 1;
      });
  };
}
