import { type Static, Type } from 'typebox';
import { deletedUser } from '../domain/deleted-user.ts';
import { inviters, notificationChoices } from '../domain/enumerations.ts';
import type {
  ConversationWithDetails,
  ConversationMember as ProtoMember,
} from '../gen/im_repo/v1/conversation.ts';
import { Message, toMessage } from './message.ts';
import { toUser, User } from './user.ts';

/** A conversation as one of its members sees it. */
export const Conversation = Type.Object(
  {
    id: Type.String(),
    type: Type.Integer({ description: '1 single, 2 group, 3 world' }),
    name: Type.String(),
    avatarUrl: Type.String(),
    description: Type.String(),
    announcement: Type.String(),
    ownerId: Type.String({ description: 'Empty for single and world' }),
    memberCount: Type.Integer(),
    role: Type.Integer({ description: '1 member, 2 admin, 3 owner' }),
    muted: Type.Boolean(),
    lastSeqId: Type.Integer(),
    lastChangeSeq: Type.Integer({
      description: 'How many changes its messages have had: edits, recalls and others',
    }),
    lastReadSeqId: Type.Integer(),
    unreadCount: Type.Integer(),
    notifications: Type.Unsafe<string>({
      type: 'string',
      enum: notificationChoices,
      description: 'Which messages the member wants to be notified of',
    }),
    pinned: Type.Boolean({
      description: 'Clients show the conversation above the others. The order of the list stays the same',
    }),
    hidden: Type.Boolean({ description: 'The list leaves the conversation out until its next message' }),
    lastMessage: Type.Optional(Message),
    peer: Type.Optional(User),
    settings: Type.Object({
      inviteBy: Type.String({ description: '"admins" or "members"' }),
      muteAll: Type.Boolean(),
      maxMembers: Type.Integer(),
    }),
    createdAt: Type.Integer({ description: 'Unix milliseconds' }),
    updatedAt: Type.Integer({ description: 'Unix milliseconds' }),
  },
  { $id: 'Conversation' },
);
export type Conversation = Static<typeof Conversation>;

/** The fields of a conversation that differ by member. A frame that goes to all members leaves them out. */
export const personalFields = [
  'role',
  'muted',
  'lastReadSeqId',
  'unreadCount',
  'notifications',
  'pinned',
  'hidden',
] as const;
export type PersonalField = (typeof personalFields)[number];

export function toConversation(details: ConversationWithDetails): Conversation {
  const { conversation, userMembership: membership, lastMessage, peer, unreadCount } = details;
  if (!conversation || !membership) throw new Error('an answer lacks the conversation or the membership');
  return {
    id: conversation.id,
    type: conversation.type,
    name: conversation.name,
    avatarUrl: conversation.avatarUrl,
    description: conversation.description,
    announcement: conversation.announcement,
    ownerId: conversation.ownerId,
    memberCount: conversation.memberCount,
    role: membership.role,
    muted: membership.muted,
    lastSeqId: conversation.lastSeqId,
    lastChangeSeq: conversation.lastChangeSeq,
    lastReadSeqId: membership.lastReadSeqId,
    unreadCount,
    notifications: membership.notifications ?? 'all',
    pinned: membership.pinned ?? false,
    hidden: membership.hidden ?? false,
    ...(lastMessage ? { lastMessage: toMessage(lastMessage) } : {}),
    ...(peer ? { peer: toUser(peer) } : {}),
    settings: {
      inviteBy: conversation.settings?.inviteBy ?? inviters.admins,
      muteAll: conversation.settings?.muteAll ?? false,
      maxMembers: conversation.settings?.maxMembers ?? 0,
    },
    createdAt: conversation.createdAt,
    updatedAt: conversation.updatedAt,
  };
}

/** The response body of a page of the conversation list. */
export const toConversationPage = (page: {
  conversations: readonly ConversationWithDetails[];
  hasMore: boolean;
  nextCursor?: string | undefined;
  partial?: boolean | undefined;
}) => ({
  conversations: page.conversations.map(toConversation),
  hasMore: page.hasMore,
  nextCursor: page.nextCursor,
  ...(page.partial ? { partial: true } : {}),
});

export const Member = Type.Object(
  {
    ...User.properties,
    role: Type.Integer({ description: '1 member, 2 admin, 3 owner' }),
    muted: Type.Boolean(),
    joinedAt: Type.Integer({ description: 'Unix milliseconds' }),
    lastReadSeqId: Type.Integer(),
  },
  { $id: 'Member' },
);
export type Member = Static<typeof Member>;

export const toMember = (member: ProtoMember): Member => ({
  ...toUser(member.user ?? deletedUser('')),
  role: member.role,
  muted: member.muted,
  joinedAt: member.joinedAt,
  lastReadSeqId: member.lastReadSeqId,
});
