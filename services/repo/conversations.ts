import type {
  ConversationServiceService,
  GetConversationRequest,
  GetUserConversationsRequest,
} from '../../lib/gen/im_repo/v1/conversation.ts';
import type { ServedHandlers } from '../../lib/grpc/definition.ts';
import type { Cache } from './cache.ts';
import { conversationIdOf } from './conversation-access.ts';
import { createConversationCreate } from './conversation-create.ts';
import { createConversationDissolve } from './conversation-dissolve.ts';
import { createConversationList } from './conversation-list.ts';
import { createConversationReconcile } from './conversation-reconcile.ts';
import { createConversationUpdate } from './conversation-update.ts';
import { createConversationsLeave } from './conversations-leave.ts';
import { createFanoutProgress, type FanoutProgressDeps } from './fanout-progress.ts';
import { type Ids, parseId } from './ids.ts';
import { createMemberChoices } from './member-choices.ts';
import { createMembersAdd } from './members-add.ts';
import { createMembersMute } from './members-mute.ts';
import { createMembersRead } from './members-read.ts';
import { createMembersRemove } from './members-remove.ts';
import { createMembersUpdate } from './members-update.ts';
import { readMemberships, readUpdated } from './memberships.ts';
import type { Outbox } from './outbox.ts';
import { createReadPointers } from './read-pointers.ts';
import { createSync } from './sync.ts';
import type { UserCards } from './user-cards.ts';

export type ConversationDeps = FanoutProgressDeps & {
  cache: Cache;
  userCards: UserCards;
  ids: Pick<Ids, 'nextId'>;
  outbox: Outbox;
};

/** The handlers of ConversationService. */
export function createConversationHandlers(deps: ConversationDeps) {
  const list = createConversationList(deps);
  const withList = { ...deps, list };
  return {
    ...createConversationCreate(withList),
    ...createConversationUpdate(withList),
    ...createConversationDissolve(deps),
    ...createConversationsLeave(deps),
    ...createConversationReconcile(deps),
    ...createMembersAdd(deps),
    ...createMembersRemove(deps),
    ...createMembersUpdate(withList),
    ...createMemberChoices(withList),
    ...createMembersMute(deps),
    ...createMembersRead(deps),
    ...createReadPointers(deps),
    ...createSync(deps),
    ...createFanoutProgress(deps),

    async getConversation({ userId, conversationId }: GetConversationRequest) {
      return { conversation: await list.one(userId, conversationIdOf(conversationId)) };
    },

    async getUserConversations({ userId, updatedSince }: GetUserConversationsRequest) {
      const id = parseId(userId);
      if (id !== undefined && updatedSince > 0) {
        return { conversationIds: await readUpdated(deps.databases.conversations, id, updatedSince) };
      }
      const memberships = id === undefined ? [] : await readMemberships(deps, userId);
      return { conversationIds: memberships.map(({ conversationId }) => conversationId) };
    },

    getUserConversationsWithDetails: list.page,
  } satisfies ServedHandlers<typeof ConversationServiceService>;
}
