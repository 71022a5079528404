import { conversationType, memberRole } from '../../../lib/domain/enumerations.ts';
import type { Push } from '../../../lib/gen/im_gateway/v1/pusher.ts';
import type { RepoClient } from '../../../lib/grpc/clients.ts';
import type { ConversationEvent } from '../../../lib/records/records.ts';
import type { Conversation } from '../../../lib/wire/conversation.ts';
import { conversationViews } from './conversation-views.ts';
import { pushesTo } from './push.ts';

/**
 * Pushes a new conversation to each of its first members, and a change of one membership to that member only. Changes
 * for all members do not come here: they follow the path of messages, to keep their order with them.
 */
export async function conversationPushes(event: ConversationEvent, repo: RepoClient): Promise<Push[]> {
  if (event.type === 'conversation.member.updated') {
    const { conversation_id: conversationId, user_ids: userIds, event_id: eventId } = event;
    return toEach(userIds, conversationId, { type: 'conversation-updated', eventId }, repo);
  }
  if (event.type !== 'conversation.created') return [];
  // The event of the acceptance pushes this conversation.
  if (event.friend_request_id) return [];
  const { conversation_id: conversationId, member_ids: memberIds, event_id: eventId } = event;
  const type = 'conversation-created';

  if (event.conversation_type === conversationType.single)
    return toEach(memberIds, conversationId, { type, eventId }, repo);

  const [first] = memberIds;
  const viewer = event.actor_id || first;
  const view = viewer && (await conversationViews(conversationId, [viewer], repo)).get(viewer);
  if (!view) return [];
  const { ownerId } = view;
  const others = memberIds.filter((userId) => userId !== ownerId);
  return [
    ...pushesTo(
      memberIds.filter((userId) => userId === ownerId),
      { type, data: { conversation: view }, eventId },
    ),
    ...pushesTo(others, { type, data: { conversation: asNewMember(view) }, eventId }),
  ];
}

/**
 * Pushes the conversation to each of the users, with the user's own fields. Users who are no longer members get
 * nothing.
 */
async function toEach(
  userIds: readonly string[],
  conversationId: string,
  frame: { type: 'conversation-created' | 'conversation-updated'; eventId: string },
  repo: RepoClient,
): Promise<Push[]> {
  const views = await conversationViews(conversationId, userIds, repo);
  return [...views].flatMap(([userId, conversation]) =>
    pushesTo([userId], { ...frame, data: { conversation } }),
  );
}

/** The conversation for a new member who has read nothing yet, derived from the owner's view. */
const asNewMember = (conversation: Conversation): Conversation => ({
  ...conversation,
  role: memberRole.member,
  muted: false,
  lastReadSeqId: 0,
  unreadCount: conversation.lastSeqId,
});
