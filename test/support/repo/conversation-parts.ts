import { conversationType } from '../../../lib/domain/enumerations.ts';
import {
  type ConversationWithDetails,
  type GetUserConversationsWithDetailsRequest,
  GetUserConversationsWithDetailsResponse,
} from '../../../lib/gen/im_repo/v1/conversation.ts';
import type { Message } from '../../../lib/gen/im_repo/v1/message.ts';
import { toOrderedFrame } from '../../../lib/records/ordered-frames.ts';
import type { OrderedEvent } from '../../../lib/records/records.ts';
import { createPasswords } from '../../../services/repo/accounts/password.ts';
import { createUserAccounts } from '../../../services/repo/accounts/user-accounts.ts';
import { createConversationHandlers } from '../../../services/repo/conversation-handlers.ts';
import { userBlocksKey } from '../../../services/repo/rows/user-blocks.ts';
import { createMessageParts } from './message-parts.ts';
import type { RepoParts } from './repo-parts.ts';

export type ConversationParts = ReturnType<typeof createConversationParts>;

/** Repo's conversation handlers, and users for them. */
export function createConversationParts(parts: RepoParts) {
  const repo = createMessageParts(parts);
  const handlers = createConversationHandlers(repo);
  const conversations = {
    ...handlers,
    async getUserConversationsWithDetails(request: GetUserConversationsWithDetailsRequest) {
      const { encoded } = await handlers.getUserConversationsWithDetails(request);
      return GetUserConversationsWithDetailsResponse.decode(encoded);
    },
  };
  const accounts = createUserAccounts({ ...parts, passwords: createPasswords() });
  const sql = parts.databases.users;

  return {
    ...repo,
    conversations,

    /** Creates a guest, who is a member of the world room. */
    async newGuest(): Promise<string> {
      const { user } = await accounts.createUser({
        username: '',
        password: '',
        avatarUrl: '',
        isGuest: true,
      });
      return user?.id ?? '';
    },

    async befriend(a: string, b: string): Promise<void> {
      await sql.execute('INSERT INTO friendships (user_id, friend_id, remark, created_at) VALUES ?', [
        [
          [Number(a), Number(b), '', 1],
          [Number(b), Number(a), '', 1],
        ],
      ]);
    },

    async unfriend(a: string, b: string): Promise<void> {
      await sql.execute('DELETE FROM friendships WHERE user_id IN (?) AND friend_id IN (?)', [
        [Number(a), Number(b)],
        [Number(a), Number(b)],
      ]);
    },

    async block(by: string, blocked: string): Promise<void> {
      await parts.cache.change(async (touch) => {
        await touch([userBlocksKey(by), userBlocksKey(blocked)]);
        await sql.execute('INSERT INTO user_blocks (user_id, blocked_id, created_at) VALUES (?)', [
          [Number(by), Number(blocked), 1],
        ]);
      });
    },

    openSingle: (creatorId: string, peerId: string, friendRequestId = '') =>
      conversations.createConversation({
        ...emptyGroup,
        type: conversationType.single,
        creatorId,
        initialMemberIds: [peerId],
        friendRequestId,
      }),

    createGroup: (
      creatorId: string,
      initialMemberIds: string[],
      fields: Partial<Parameters<typeof conversations.createConversation>[0]> = {},
    ) =>
      conversations.createConversation({
        ...emptyGroup,
        name: 'group',
        creatorId,
        initialMemberIds,
        activate: true,
        ...fields,
      }),

    /** Creates an active group, owned by the first user; resolves to its id. */
    async newGroup(userIds: readonly string[], fields: { maxMembers?: number } = {}): Promise<string> {
      const [owner = '', ...others] = userIds;
      const { conversation } = await this.createGroup(owner, others, fields);
      return idOf(conversation);
    },

    addMembers: (actorId: string, conversationId: string, userIds: string[]) =>
      conversations.addConversationMember({ actorId, conversationId, userIds }),

    removeMembers: (actorId: string, conversationId: string, userIds: string[]) =>
      conversations.removeConversationMember({ actorId, conversationId, userIds }),

    changeMember: (
      actorId: string,
      conversationId: string,
      userId: string,
      fields: { role?: number; muted?: boolean },
    ) => conversations.updateConversationMember({ actorId, conversationId, userId, ...fields }),

    /** Creates a group with an owner, an admin and two ordinary members; eve is not a member. */
    async newGroupWithRoles() {
      const [owner = '', admin = '', bob = '', cy = '', eve = ''] = await repo.newUsers(5);
      const id = await this.newGroup([owner, admin, bob, cy]);
      await this.changeMember(owner, id, admin, { role: 2 });
      return { owner, admin, bob, cy, eve, id };
    },

    sync: (
      userId: string,
      cursors: Record<string, number> = {},
      fields: {
        since?: number;
        limitPerConversation?: number;
        limitTotal?: number;
        changes?: Record<string, number>;
      } = {},
    ) =>
      conversations.syncConversations({
        userId,
        cursors,
        changes: {},
        since: 0,
        limitPerConversation: 0,
        limitTotal: 0,
        ...fields,
      }),

    /** Marks everything up to a message as read. */
    readTo: (userId: string, conversationId: string, seqId: number) =>
      conversations.updateReadPointer({ userId, conversationId, seqId }),

    see: async (userId: string, conversationId: string): Promise<ConversationWithDetails> => {
      const { conversation } = await conversations.getConversation({ userId, conversationId });
      if (!conversation) throw new Error('there is no conversation in the answer');
      return conversation;
    },

    list: (userId: string, fields: Partial<Omit<GetUserConversationsWithDetailsRequest, 'userId'>> = {}) =>
      conversations.getUserConversationsWithDetails({
        userId,
        limit: 50,
        offset: 0,
        updatedSince: 0,
        includeLastMessage: true,
        includeSenderInfo: true,
        ...fields,
      }),

    /** Stores a message; resolves to its id. */
    async say(conversationId: string, senderId: string, content = 'text'): Promise<number> {
      const [saved] = await repo.save(repo.newMessage(conversationId, senderId, { content }));
      if (saved?.error !== 0) throw new Error(saved?.errorMessage ?? 'nothing was saved');
      return saved.messageId;
    },

    recall: (conversationId: string, actorId: string, messageId: number) =>
      repo.messages.deleteMessage({ actorId, conversationId, messageId, recallWindowMs: 60_000 }),

    /** Sets the times of everything in a conversation to long ago. */
    async age(conversationId: string, at = 1): Promise<void> {
      const id = Number(conversationId);
      await sql.batch(
        [
          `UPDATE messages SET created_at = ${at} WHERE conversation_id = ${id}`,
          `UPDATE conversations SET updated_at = ${at}, changed_at = ${at} WHERE id = ${id}`,
          `UPDATE conversation_members SET joined_at = ${at}, changed_at = ${at} WHERE conversation_id = ${id}`,
          `UPDATE user_read_pointers SET updated_at = ${at} WHERE conversation_id = ${id}`,
        ].join(';\n'),
      );
    },

    /** The events about a conversation; ordered events as their frames. */
    async eventsOf(conversationId: string): Promise<Record<string, unknown>[]> {
      const all = (await parts.events()) as (Record<string, unknown> & { event?: OrderedEvent })[];
      return all
        .map((record) => (record.event ? toOrderedFrame(record.event) : record))
        .filter((event) => event.conversation_id === conversationId);
    },
  };
}

const emptyGroup = {
  conversationId: '',
  type: conversationType.group,
  name: '',
  avatarUrl: '',
  description: '',
  creatorId: '',
  initialMemberIds: [] as string[],
  activate: true,
  maxMembers: 0,
  friendRequestId: '',
};

export const idOf = (details: ConversationWithDetails | undefined): string => {
  if (!details?.conversation) throw new Error('there is no conversation in the answer');
  return details.conversation.id;
};

export const contents = (messages: readonly Message[]): string[] => messages.map(({ content }) => content);
