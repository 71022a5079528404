import type { Conversation } from '../../../lib/gen/im_repo/v1/conversation.ts';
import {
  personalFields,
  toConversation,
  type Conversation as WireConversation,
} from '../../../lib/wire/conversation.ts';
import { type ConversationBasic, type ConversationRow, fromConversationRow } from './conversation-basic.ts';
import { readSeqs } from './recall-counts.ts';

/** What changes with every message. */
type Moving = { lastSeqId: number; lastMessageId: number; updatedAt: number };

/** A conversation without the view of any member. */
export const toProtoConversation = (basic: ConversationBasic, head: Moving): Conversation => ({
  id: basic.id,
  type: basic.type,
  name: basic.name,
  avatarUrl: basic.avatarUrl,
  description: basic.description,
  announcement: basic.announcement,
  ownerId: basic.ownerId,
  memberCount: basic.memberCount,
  settings: { inviteBy: basic.inviteBy, muteAll: basic.muteAll, maxMembers: basic.maxMembers },
  createdAt: basic.createdAt,
  updatedAt: head.updatedAt,
  lastSeqId: head.lastSeqId,
  lastMessageId: head.lastMessageId,
});

/** What is the same for every member, in the shape that clients know: for frames that all of them get. */
export type SharedConversation = Omit<
  WireConversation,
  (typeof personalFields)[number] | 'lastMessage' | 'peer'
>;

export function toSharedConversation(row: ConversationRow, head: Moving): SharedConversation {
  const basic = fromConversationRow(row, readSeqs(0, null));
  const whole = toConversation({
    conversation: toProtoConversation(basic, head),
    userMembership: {
      conversationId: basic.id,
      user: undefined,
      role: 0,
      muted: false,
      joinedAt: 0,
      lastReadSeqId: 0,
    },
    unreadCount: 0,
  });
  const isPersonal = new Set<string>(personalFields);
  return Object.fromEntries(
    Object.entries(whole).filter(([field]) => !isPersonal.has(field)),
  ) as SharedConversation;
}
