import type { Conversation } from '../../../lib/gen/im_repo/v1/conversation.ts';
import type { FileLinks } from '../file-links/file-links.ts';
import type { ConversationBasic } from './conversation-basic.ts';

/** The fields that every message changes. */
type HeadFields = { lastSeqId: number; lastMessageId: number; lastChangeSeq?: number; updatedAt: number };

/** Builds a conversation without the fields that depend on a member. */
export const toProtoConversation = (
  basic: ConversationBasic,
  head: HeadFields,
  links: FileLinks,
): Conversation => ({
  id: basic.id,
  type: basic.type,
  name: basic.name,
  avatarUrl: links.picture(basic.avatarUrl),
  description: basic.description,
  announcement: basic.announcement,
  ownerId: basic.ownerId,
  memberCount: basic.memberCount,
  settings: { inviteBy: basic.inviteBy, muteAll: basic.muteAll, maxMembers: basic.maxMembers },
  createdAt: basic.createdAt,
  updatedAt: head.updatedAt,
  lastSeqId: head.lastSeqId,
  lastMessageId: head.lastMessageId,
  // Heads that an earlier version cached have no number of changes.
  lastChangeSeq: head.lastChangeSeq ?? 0,
});
