import type { RepoClient } from '../../../lib/grpc/clients.ts';
import { type Conversation, toConversation } from '../../../lib/wire/conversation.ts';
import { orGone } from './missing.ts';

/** Of one call. */
const usersPerCall = 100;

/** A conversation as each of these users sees it, by user id; without those whose it is not, or not any more. */
export async function conversationViews(
  conversationId: string,
  userIds: readonly string[],
  repo: RepoClient,
): Promise<Map<string, Conversation>> {
  const found = new Map<string, Conversation>();
  for (let from = 0; from < userIds.length; from += usersPerCall) {
    const some = userIds.slice(from, from + usersPerCall);
    const page = await orGone(repo.conversations.getConversationViews({ conversationId, userIds: some }));
    for (const { userId, conversation } of page?.views ?? []) {
      if (conversation) found.set(userId, toConversation(conversation));
    }
  }
  return found;
}
