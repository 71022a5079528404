import type { Push } from '../../../lib/gen/im_gateway/v1/pusher.ts';
import type { RepoClient } from '../../../lib/grpc/clients.ts';
import type { FriendEvent } from '../../../lib/kafka/records.ts';
import { type Conversation, toConversation } from '../../../lib/wire/conversation.ts';
import { toFriendRequest } from '../../../lib/wire/user.ts';
import { orGone } from './missing.ts';
import { pushesTo } from './push.ts';

/** A request goes to its target; what became of it to both, with the conversation as each of them sees it. */
export async function friendPushes(event: FriendEvent, repo: RepoClient): Promise<Push[]> {
  if (!('request_id' in event)) return [];
  const found = await orGone(
    repo.friendships.getFriendRequest({ requestId: event.request_id, userId: '', otherUserId: '' }),
  );
  if (!found?.request) return [];
  const request = toFriendRequest(found.request);
  const eventId = event.event_id;

  if (event.type === 'friend.request.created') {
    return pushesTo([event.target_id], { type: 'friend-request', data: { request }, eventId });
  }
  const both = [event.requester_id, event.target_id];
  const type = 'friend-request-handled';
  if (event.type !== 'friend.request.accepted') return pushesTo(both, { type, data: { request }, eventId });
  const pushes = both.map(async (userId) => {
    const conversation = await seenBy(userId, event.conversation_id, repo);
    return pushesTo([userId], {
      type,
      data: { request, ...(conversation ? { conversation } : {}) },
      eventId,
    });
  });
  return (await Promise.all(pushes)).flat();
}

/** A conversation as its member sees it; undefined when it isn't the user's. */
export async function seenBy(
  userId: string,
  conversationId: string,
  repo: RepoClient,
): Promise<Conversation | undefined> {
  const found = await orGone(repo.conversations.getConversation({ userId, conversationId }));
  return found?.conversation && toConversation(found.conversation);
}
