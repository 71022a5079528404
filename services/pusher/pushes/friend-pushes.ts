import type { Push } from '../../../lib/gen/im_gateway/v1/pusher.ts';
import type { RepoClient } from '../../../lib/grpc/clients.ts';
import type { FriendEvent } from '../../../lib/records/records.ts';
import type { Conversation } from '../../../lib/wire/conversation.ts';
import { toFriendRequest } from '../../../lib/wire/user.ts';
import { conversationViews } from './conversation-views.ts';
import { undefinedIfGone } from './missing.ts';
import { pushesTo } from './push.ts';

/**
 * Pushes a new request to its target, and its outcome to both users, with the conversation if it was accepted. If the
 * acceptance created the conversation, this event also pushes `conversation-created`, instead of the conversation's own
 * event, so that the conversation is looked up once.
 */
export async function friendPushes(event: FriendEvent, repo: RepoClient): Promise<Push[]> {
  if (!('request_id' in event)) return [];
  const both = [event.requester_id, event.target_id];
  const [found, views] = await Promise.all([
    undefinedIfGone(
      repo.friendships.getFriendRequest({ requestId: event.request_id, userId: '', otherUserId: '' }),
    ),
    event.type === 'friend.request.accepted'
      ? conversationViews(event.conversation_id, both, repo)
      : undefined,
  ]);
  if (!found?.request) return [];
  const request = toFriendRequest(found.request);
  const eventId = event.event_id;

  if (event.type === 'friend.request.created') {
    return pushesTo([event.target_id], { type: 'friend-request', data: { request }, eventId });
  }
  const type = 'friend-request-handled';
  if (event.type !== 'friend.request.accepted') return pushesTo(both, { type, data: { request }, eventId });
  const createdId = event.created_event_id;
  return both.flatMap((userId) => {
    const conversation = views?.get(userId);
    if (!conversation) return pushesTo([userId], { type, data: { request }, eventId });
    return [
      ...(createdId ? pushesTo([userId], created(conversation, createdId)) : []),
      ...pushesTo([userId], { type, data: { request, conversation }, eventId }),
    ];
  });
}

const created = (conversation: Conversation, eventId: string) => ({
  type: 'conversation-created' as const,
  data: { conversation },
  eventId,
});
