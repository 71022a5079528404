import { newestFirst, rowsAfter } from '../../../lib/domain/conversation-order.ts';
import { type Position, pageOf, readPaging } from '../../../lib/domain/paging.ts';
import { invalid } from '../../../lib/domain/refusals.ts';
import { GoChatError } from '../../../lib/errors.ts';
import type { ConversationServiceService } from '../../../lib/gen/im_logic/v1/conversation.ts';
import type { ConversationWithDetails } from '../../../lib/gen/im_repo/v1/conversation.ts';
import type { RepoClient } from '../../../lib/grpc/clients.ts';
import type { ServedHandlers } from '../../../lib/grpc/definition.ts';
import type { Metrics } from '../../../lib/metrics.ts';

type Handlers = ServedHandlers<typeof ConversationServiceService>;
export type ListHandlers = Pick<Handlers, 'getConversations' | 'getConversationsOptimized'>;
type Page = {
  userId: string;
  limit: number;
  offset: number;
  updatedSince: number;
  cursor?: string | undefined;
};

/** Maximum number of concurrent `getConversation` calls per `getConversations` request. */
const maxConcurrent = 20;

/** The pages of a user's conversation list, the newest conversation first. */
export function createConversationList(deps: {
  conversations: RepoClient['conversations'];
  metrics: Metrics;
}): ListHandlers {
  const { conversations } = deps;
  const duration = deps.metrics.latency(
    'gochat_conversation_load_duration_seconds',
    'Time to load a page of the conversation list.',
  );

  function checked(page: Page) {
    const { userId, updatedSince, cursor } = page;
    if (updatedSince < 0) throw invalid('updatedSince', 'must not be negative');
    return { userId, updatedSince, cursor, ...readPaging('conversations', page) };
  }

  async function measured<T>(load: Promise<T>): Promise<T> {
    const end = duration.startTimer();
    try {
      return await load;
    } finally {
      end();
    }
  }

  async function loadEach({ userId, limit, offset, after, updatedSince }: ReturnType<typeof checked>) {
    const { conversationIds } = await conversations.getUserConversations({ userId, updatedSince });
    const all: ConversationWithDetails[] = [];
    for (let from = 0; from < conversationIds.length; from += maxConcurrent) {
      const some = conversationIds.slice(from, from + maxConcurrent);
      const details = await Promise.all(some.map((id) => detailsOf(userId, id)));
      all.push(...details.filter((one) => one !== undefined));
    }
    const listed = updatedSince > 0 ? all : all.filter((one) => !isHidden(one));
    const ordered = listed.sort((a, b) => newestFirst(positionOf(a), positionOf(b)));
    const found = rowsAfter(ordered, after, positionOf).slice(offset, offset + limit + 1);
    const { rows, hasMore, nextCursor } = pageOf('conversations', found, limit, positionOf);
    return { conversations: rows, hasMore, nextCursor };
  }

  /** Undefined if the user left the conversation between the two calls. */
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
    getConversations: async (request) => measured(loadEach(checked(request))),
    // The page is passed on in the bytes that im-repo sent, without decoding it.
    async getConversationsOptimized(request) {
      const { userId, limit, offset, cursor, updatedSince } = checked(request);
      const { knownTag, asJson } = request;
      const wanted = { userId, limit, offset, cursor, updatedSince, knownTag, asJson };
      return measured(
        conversations.getUserConversationsWithDetails({
          ...wanted,
          includeLastMessage: true,
          includeSenderInfo: true,
        }),
      );
    },
  };
}

const isHidden = ({ userMembership }: ConversationWithDetails): boolean => userMembership?.hidden === true;

const positionOf = ({ conversation }: ConversationWithDetails): Position<'conversations'> => [
  conversation?.updatedAt ?? 0,
  Number(conversation?.id ?? 0),
];
