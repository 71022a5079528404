import type { Push } from '../../../lib/gen/im_gateway/v1/pusher.ts';
import type { MessageEvent } from '../../../lib/records/records.ts';
import { pushesTo } from './push.ts';

/** Pushes a read receipt to the senders of the messages newly read, and to the reader's other sessions. */
export function messagePushes(event: MessageEvent): Push[] {
  if (event.type !== 'message.read') return [];
  const { actor_id: userId, conversation_id: conversationId, seq_id: seqId, event_id: eventId } = event;
  const frame = { type: 'message-read', data: { conversationId, userId, seqId }, eventId } as const;
  return [
    ...pushesTo(
      event.sender_ids.filter((senderId) => senderId !== userId),
      frame,
    ),
    ...pushesTo([userId], { ...frame, excludeSessionId: event.session_id }),
  ];
}
