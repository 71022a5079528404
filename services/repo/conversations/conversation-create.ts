import { conversationType } from '../../../lib/domain/enumerations.ts';
import { parseId } from '../../../lib/domain/ids.ts';
import { conversationNotFound, invalid } from '../../../lib/domain/refusals.ts';
import type {
  ConversationServiceService,
  CreateConversationRequest,
  CreateConversationResponse,
} from '../../../lib/gen/im_repo/v1/conversation.ts';
import type { UnaryHandlers } from '../../../lib/grpc/definition.ts';
import type { Cache } from '../cache/cache.ts';
import type { ConversationList } from '../conversation-lists/conversation-list.ts';
import { loadViews, toDetails } from '../conversation-lists/conversation-view.ts';
import type { FileLinks } from '../file-links/file-links.ts';
import type { FileAccess } from '../files/file-access.ts';
import type { Outbox } from '../outbox/outbox.ts';
import { conversationIdOf } from '../rows/conversation-access.ts';
import type { UserCards } from '../rows/user-cards.ts';
import type { Databases } from '../storage/databases.ts';
import type { Ids } from '../storage/ids.ts';
import { createGroupConversation, type NewConversation } from './group-conversation.ts';
import { createSingleConversation } from './single-conversation.ts';

type Handlers = Pick<
  UnaryHandlers<typeof ConversationServiceService>,
  'createConversation' | 'activateConversation' | 'discardConversation'
>;

/** Creates, activates and discards conversations. */
export function createConversationCreate(deps: {
  databases: Databases;
  cache: Cache;
  ids: Pick<Ids, 'nextId'>;
  userCards: UserCards;
  outbox: Outbox;
  list: ConversationList;
  access: FileAccess;
  links: FileLinks;
}): Handlers {
  const { list, links } = deps;
  const openSingle = createSingleConversation(deps);
  const groups = createGroupConversation(deps);

  /** The conversation as its creator sees it, also while a group is still being created; with `idOnly`, only its id. */
  async function answer(
    { creatorId, idOnly }: CreateConversationRequest,
    { conversationId, created, refused }: NewConversation,
  ): Promise<CreateConversationResponse> {
    const answered = { conversationId: String(conversationId), created, refused };
    if (idOnly) return { ...answered, conversation: undefined };
    const { views, users } = await loadViews(deps, Number(creatorId), {
      detailed: 1,
      conversationIds: [conversationId],
      includeCreating: true,
    });
    const [view] = views;
    if (!view) throw conversationNotFound();
    return {
      ...answered,
      conversation: toDetails(view, users, { lastMessage: true, senderInfo: true }, links),
    };
  }

  return {
    async createConversation(request) {
      switch (request.type) {
        case conversationType.single:
          return answer(request, { ...(await openSingle(request)), refused: [] });
        case conversationType.group:
          return answer(request, await groups.create(request));
        default:
          throw invalid('type', 'must be 1 (single) or 2 (group)');
      }
    },

    async activateConversation({ conversationId }) {
      const id = conversationIdOf(conversationId);
      return { conversation: await list.one(await groups.activate(id), id) };
    },

    async discardConversation({ conversationId, begunBefore }) {
      const id = parseId(conversationId);
      if (id !== undefined) await groups.discard(id, begunBefore);
      return {};
    },
  };
}
