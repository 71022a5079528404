import { GoChatError } from '../../lib/errors.ts';
import type { ConversationServiceService } from '../../lib/gen/im_logic/v1/conversation.ts';
import type { ConversationWithDetails } from '../../lib/gen/im_repo/v1/conversation.ts';
import type { RepoClient } from '../../lib/grpc/clients.ts';
import type { ServedHandlers } from '../../lib/grpc/definition.ts';
import type { Metrics } from '../../lib/metrics.ts';
import { checkOffset, invalid, limits, pageSize } from './input.ts';

type Handlers = ServedHandlers<typeof ConversationServiceService>;
export type ListHandlers = Pick<Handlers, 'getConversations' | 'getConversationsOptimized'>;
type Page = { userId: string; limit: number; offset: number; updatedSince: number };

/** Conversations asked for at once by the plain way. */
const parallel = 20;

/** A user's conversations, the newest first. */
export function createConversationList(deps: {
  conversations: RepoClient['conversations'];
  metrics: Metrics;
}): ListHandlers {
  const { conversations } = deps;
  const duration = deps.metrics.latency(
    'gochat_conversation_load_duration_seconds',
    'Time to load a page of the conversation list.',
  );

  function checked({ userId, limit, offset, updatedSince }: Page): Page {
    if (updatedSince < 0) throw invalid('updatedSince', 'must not be negative');
    return { userId, limit: pageSize(limit, 50, limits.page), offset: checkOffset(offset), updatedSince };
  }

  async function timed<T>(load: Promise<T>): Promise<T> {
    const end = duration.startTimer();
    try {
      return await load;
    } finally {
      end();
    }
  }

  async function loadOneByOne({ userId, limit, offset, updatedSince }: Page) {
    const { conversationIds } = await conversations.getUserConversations({ userId, updatedSince });
    const all: ConversationWithDetails[] = [];
    for (let from = 0; from < conversationIds.length; from += parallel) {
      const some = conversationIds.slice(from, from + parallel);
      const details = await Promise.all(some.map((id) => detailsOf(userId, id)));
      all.push(...details.filter((one) => one !== undefined));
    }
    const newest = all.sort((a, b) => updatedAt(b) - updatedAt(a));
    return {
      conversations: newest.slice(offset, offset + limit),
      hasMore: newest.length > offset + limit,
    };
  }

  /** Undefined when the user left between the two calls. */
  async function detailsOf(
    userId: string,
    conversationId: string,
  ): Promise<ConversationWithDetails | undefined> {
    try {
      return (await conversations.getConversation({ userId, conversationId })).conversation;
    } catch (error) {
      const gone =
        error instanceof GoChatError &&
        (error.code === 'NOT_CONVERSATION_MEMBER' || error.code === 'CONVERSATION_NOT_FOUND');
      if (gone) return undefined;
      throw error;
    }
  }

  return {
    getConversations: async (request) => timed(loadOneByOne(checked(request))),
    // The page is passed on as it comes.
    getConversationsOptimized: async (request) =>
      timed(
        conversations.getUserConversationsWithDetails({
          ...checked(request),
          knownTag: request.knownTag,
          includeLastMessage: true,
          includeSenderInfo: true,
        }),
      ),
  };
}

const updatedAt = ({ conversation }: ConversationWithDetails): number => conversation?.updatedAt ?? 0;
