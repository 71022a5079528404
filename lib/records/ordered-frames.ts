import type { Member } from '../wire/conversation.ts';
import type { ServerFrameData } from '../wire/frames.ts';
import { toWireMessage } from './message-facts.ts';
import type { ConversationFacts, MemberFacts, OrderedEvent, OrderedFrame, ReactedFacts } from './records.ts';

/** Converts an event of a conversation to the frame that its members get. */
export function toOrderedFrame(event: OrderedEvent): OrderedFrame {
  const { event_id, conversation_id, actor_id: by, extra_user_ids } = event;
  const common = { event_id, conversation_id, extra_user_ids };
  const conversationId = conversation_id;
  switch (event.type) {
    case 'conversation.updated':
      return {
        ...common,
        frame: 'conversation-updated',
        data: { conversation: toSharedConversation(conversationId, event.conversation) },
      };
    case 'conversation.dissolved':
      return { ...common, frame: 'conversation-dissolved', data: { conversationId } };
    case 'conversation.member.added':
      return {
        ...common,
        frame: 'member-added',
        data: { conversationId, members: event.members.map(toNewMember) },
      };
    case 'conversation.member.removed':
      return {
        ...common,
        frame: 'member-removed',
        data: { conversationId, userIds: event.user_ids, by },
        last_seq_id: event.last_seq_id,
      };
    case 'message.recalled':
      return {
        ...common,
        frame: 'message-recalled',
        data: { conversationId, messageId: event.message_id, seqId: event.seq_id, by },
      };
    case 'message.changed':
      return {
        ...common,
        frame: 'message-changed',
        data: {
          conversationId,
          changeSeq: event.change_seq,
          message: toWireMessage(event.message),
          ...(event.reacted ? { reacted: event.reacted.map(toReacted) } : {}),
        },
      };
  }
}

const toReacted = ({ user_id, emoji, on }: ReactedFacts) => ({ userId: user_id, emoji, on });

/** A conversation as in frames that go to all its members: without the fields that differ by member. */
const toSharedConversation = (
  id: string,
  facts: ConversationFacts,
): ServerFrameData['conversation-updated']['conversation'] => ({
  id,
  type: facts.type,
  name: facts.name,
  avatarUrl: facts.avatar_url,
  description: facts.description,
  announcement: facts.announcement,
  ownerId: facts.owner_id,
  memberCount: facts.member_count,
  lastSeqId: facts.last_seq_id,
  lastChangeSeq: facts.last_change_seq ?? 0,
  settings: { inviteBy: facts.invite_by, muteAll: facts.mute_all, maxMembers: facts.max_members },
  createdAt: facts.created_at,
  updatedAt: facts.updated_at,
});

const toNewMember = (facts: MemberFacts): Member => ({
  id: facts.user_id,
  username: facts.username,
  displayName: facts.display_name,
  avatarUrl: facts.avatar_url,
  isGuest: facts.is_guest,
  createdAt: facts.created_at,
  role: facts.role,
  muted: facts.muted,
  joinedAt: facts.joined_at,
  // All members get the same frame, and some of them may not see what others have read.
  lastReadSeqId: 0,
});
