import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toOrderedFrame } from './ordered-frames.ts';
import type { OrderedEvent } from './records.ts';

const common = { event_id: 'e', conversation_id: '9', actor_id: '7', extra_user_ids: ['8'] };
const frameOf = (event: OrderedEvent) => {
  const { frame, data, ...rest } = toOrderedFrame(event);
  const { actor_id: _, ...kept } = common;
  const { last_seq_id, ...named } = rest;
  assert.deepEqual(named, kept);
  return { frame, data, ...(last_seq_id === undefined ? {} : { last_seq_id }) };
};

test('the frame of a changed conversation leaves out the fields that differ per member', () => {
  const conversation = {
    type: 2,
    name: 'a group',
    avatar_url: 'http://x',
    description: 'd',
    announcement: 'a',
    owner_id: '7',
    member_count: 3,
    last_seq_id: 5,
    last_change_seq: 4,
    invite_by: 'admins',
    mute_all: true,
    max_members: 100,
    created_at: 1,
    updated_at: 2,
  };
  assert.deepEqual(frameOf({ ...common, type: 'conversation.updated', conversation }), {
    frame: 'conversation-updated',
    data: {
      conversation: {
        id: '9',
        type: 2,
        name: 'a group',
        avatarUrl: 'http://x',
        description: 'd',
        announcement: 'a',
        ownerId: '7',
        memberCount: 3,
        lastSeqId: 5,
        lastChangeSeq: 4,
        settings: { inviteBy: 'admins', muteAll: true, maxMembers: 100 },
        createdAt: 1,
        updatedAt: 2,
      },
    },
  });
});

test('the frame of a new member says that the member has read nothing', () => {
  const member = {
    user_id: '8',
    username: 'eight',
    display_name: 'Eight',
    avatar_url: '',
    is_guest: true,
    created_at: 1,
    role: 1,
    muted: false,
    joined_at: 2,
  };
  assert.deepEqual(frameOf({ ...common, type: 'conversation.member.added', members: [member] }), {
    frame: 'member-added',
    data: {
      conversationId: '9',
      members: [
        {
          id: '8',
          username: 'eight',
          displayName: 'Eight',
          avatarUrl: '',
          isGuest: true,
          createdAt: 1,
          role: 1,
          muted: false,
          joinedAt: 2,
          lastReadSeqId: 0,
        },
      ],
    },
  });
});

test('frames of removals, recalls and dissolved groups name their subject and the acting user', () => {
  assert.deepEqual(
    frameOf({ ...common, type: 'conversation.member.removed', user_ids: ['8'], last_seq_id: 4 }),
    { frame: 'member-removed', data: { conversationId: '9', userIds: ['8'], by: '7' }, last_seq_id: 4 },
  );
  assert.deepEqual(frameOf({ ...common, type: 'message.recalled', message_id: 100, seq_id: 4 }), {
    frame: 'message-recalled',
    data: { conversationId: '9', messageId: 100, seqId: 4, by: '7' },
  });
  assert.deepEqual(frameOf({ ...common, type: 'conversation.dissolved' }), {
    frame: 'conversation-dissolved',
    data: { conversationId: '9' },
  });
});

test('a change of a message is shown with what the message is now', () => {
  const message = {
    message_id: 100,
    conversation_id: '9',
    sender_info: { id: '7', username: 'ann', display_name: 'Ann', avatar_url: '' },
    message_type: 1,
    content: 'hello',
    client_msg_id: 'm',
    metadata: '{"color":"blue"}',
    seq_id: 4,
    created_at: 1,
    change_seq: 3,
    edited_at: 2,
    reactions: [{ emoji: '👍', count: 1, user_ids: ['8'] }],
    pinned: true,
  };
  const reacted = [{ user_id: '8', emoji: '👍', on: true }];
  assert.deepEqual(frameOf({ ...common, type: 'message.changed', change_seq: 3, message, reacted }), {
    frame: 'message-changed',
    data: {
      conversationId: '9',
      changeSeq: 3,
      message: {
        id: 100,
        conversationId: '9',
        seqId: 4,
        sender: { id: '7', username: 'ann', displayName: 'Ann', avatarUrl: '' },
        messageType: 1,
        content: 'hello',
        clientMsgId: 'm',
        metadata: { color: 'blue' },
        deleted: false,
        createdAt: 1,
        changeSeq: 3,
        editedAt: 2,
        reactions: [{ emoji: '👍', count: 1, userIds: ['8'] }],
        pinned: true,
      },
      reacted: [{ userId: '8', emoji: '👍', on: true }],
    },
  });
});
