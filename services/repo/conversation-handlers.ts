import { parseId } from '../../lib/domain/ids.ts';
import { type Code, GoChatError } from '../../lib/errors.ts';
import type {
  ConversationServiceService,
  GetConversationRequest,
  GetConversationViewsRequest,
  GetUserConversationsRequest,
} from '../../lib/gen/im_repo/v1/conversation.ts';
import type { ServedHandlers } from '../../lib/grpc/definition.ts';
import type { Cache } from './cache/cache.ts';
import type { ColdMessages } from './cold/cold-messages.ts';
import { createConversationList } from './conversation-lists/conversation-list.ts';
import { createConversationCreate } from './conversations/conversation-create.ts';
import { createConversationDissolve } from './conversations/conversation-dissolve.ts';
import { createConversationReconcile } from './conversations/conversation-reconcile.ts';
import { createConversationUpdate } from './conversations/conversation-update.ts';
import { createConversationsLeave } from './conversations/conversations-leave.ts';
import type { FileLinks } from './file-links/file-links.ts';
import type { FileAccess } from './files/file-access.ts';
import { createMemberChoices } from './members/member-choices.ts';
import { createMembersAdd } from './members/members-add.ts';
import { createMembersMute } from './members/members-mute.ts';
import { createMembersRead } from './members/members-read.ts';
import { createMembersRemove } from './members/members-remove.ts';
import { createMembersUpdate } from './members/members-update.ts';
import type { Outbox } from './outbox/outbox.ts';
import { createReadPointers } from './receipts/read-pointers.ts';
import type { ReceiptAudience } from './receipts/receipt-audience.ts';
import { createFanoutProgress, type FanoutProgressDeps } from './recipients/fanout-progress.ts';
import { conversationIdOf } from './rows/conversation-access.ts';
import { readMemberships, readUpdated } from './rows/memberships.ts';
import type { UserCards } from './rows/user-cards.ts';
import type { Ids } from './storage/ids.ts';
import { createSync } from './sync/sync.ts';

export type ConversationDeps = FanoutProgressDeps & {
  cache: Cache;
  cold: ColdMessages;
  userCards: UserCards;
  ids: Pick<Ids, 'nextId'>;
  receipts: ReceiptAudience;
  outbox: Outbox;
  access: FileAccess;
  links: FileLinks;
};

/** The most users per call that reads a conversation as each of them sees it. */
const maxViewers = 100;

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

    async getConversationViews({ conversationId, userIds }: GetConversationViewsRequest) {
      if (userIds.length > maxViewers) {
        throw new GoChatError('INVALID_ARGUMENT', `At most ${maxViewers} users.`);
      }
      const id = conversationIdOf(conversationId);
      const views = userIds.map(async (userId) => {
        const conversation = await ifMember(list.one(userId, id));
        return conversation ? [{ userId, conversation }] : [];
      });
      return { views: (await Promise.all(views)).flat() };
    },

    async getUserConversations({ userId, updatedSince }: GetUserConversationsRequest) {
      const id = parseId(userId);
      if (id !== undefined && updatedSince > 0) {
        return { conversationIds: await readUpdated(deps.databases, id, updatedSince) };
      }
      const memberships = id === undefined ? [] : await readMemberships(deps, userId, { complete: true });
      return { conversationIds: memberships.map(({ conversationId }) => conversationId) };
    },

    getUserConversationsWithDetails: list.page,
  } satisfies ServedHandlers<typeof ConversationServiceService>;
}

/** Resolves to undefined if the user is not a member or the conversation no longer exists. */
async function ifMember<T>(view: Promise<T>): Promise<T | undefined> {
  try {
    return await view;
  } catch (error) {
    if (error instanceof GoChatError && noMember.has(error.code)) return undefined;
    throw error;
  }
}

const noMember: ReadonlySet<Code> = new Set<Code>(['CONVERSATION_NOT_FOUND', 'NOT_CONVERSATION_MEMBER']);
