import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as friends from '../gen/im_logic/v1/friend.ts';
import * as conversations from '../gen/im_repo/v1/conversation.ts';
import * as friendships from '../gen/im_repo/v1/friendship.ts';
import * as messages from '../gen/im_repo/v1/message.ts';
import {
  conversationType,
  friendRequestAction,
  friendRequestStatus,
  memberRole,
  messageType,
} from './enumerations.ts';

/** Converts a proto enum to an enumeration of this file's form: `CONVERSATION_TYPE_SINGLE: 1` becomes `single: 1`. */
const fromProto = (generated: object, prefix: string) =>
  Object.fromEntries(
    Object.entries(generated)
      .filter(([name, value]) => typeof value === 'number' && value >= 0 && name !== `${prefix}_UNSPECIFIED`)
      .map(([name, value]) => [
        name
          .slice(prefix.length + 1)
          .replace('_UNSPECIFIED', '')
          .toLowerCase(),
        value,
      ]),
  );

test('enumerations and the enums of proto have the same names and numbers', () => {
  assert.deepEqual(fromProto(conversations.ConversationType, 'CONVERSATION_TYPE'), conversationType);
  assert.deepEqual(fromProto(conversations.MemberRole, 'MEMBER_ROLE'), memberRole);
  assert.deepEqual(fromProto(messages.MessageType, 'MESSAGE_TYPE'), messageType);
  assert.deepEqual(fromProto(friendships.FriendRequestStatus, 'FRIEND_REQUEST_STATUS'), friendRequestStatus);
  assert.deepEqual(fromProto(friends.FriendRequestAction, 'FRIEND_REQUEST_ACTION'), friendRequestAction);
});
