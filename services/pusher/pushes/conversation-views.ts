import type { RepoClient } from '../../../lib/grpc/clients.ts';
import { type Conversation, toConversation } from '../../../lib/wire/conversation.ts';
import { undefinedIfGone } from './missing.ts';

/** Maximum number of users per call. */
const maxUsersPerCall = 100;

/** The conversation with each user's own fields, by user id. Users who are no members are missing. */
export async function conversationViews(
  conversationId: string,
  userIds: readonly string[],
  repo: RepoClient,
): Promise<Map<string, Conversation>> {
  const found = new Map<string, Conversation>();
  for (let from = 0; from < userIds.length; from += maxUsersPerCall) {
    const some = userIds.slice(from, from + maxUsersPerCall);
    const page = await undefinedIfGone(
      repo.conversations.getConversationViews({ conversationId, userIds: some }),
    );
    for (const { userId, conversation } of page?.views ?? []) {
      if (conversation) found.set(userId, toConversation(conversation));
    }
  }
  return found;
}
