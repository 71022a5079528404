import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultUserSettings } from '../../lib/domain/user-settings.ts';
import { GoChatError } from '../../lib/errors.ts';
import type { Push } from '../../lib/gen/im_gateway/v1/pusher.ts';
import type { RepoClient } from '../../lib/grpc/clients.ts';
import { createMetrics } from '../../lib/metrics.ts';
import { personalFields } from '../../lib/wire/conversation.ts';
import { createEventHandler } from './events.ts';

const user = (id: string) => ({
  id,
  username: `user${id}`,
  displayName: '',
  avatarUrl: '',
  isGuest: false,
  createdAt: 0,
});

const conversationFor = (userId: string, conversationId: string) => ({
  conversation: {
    id: conversationId,
    type: 2,
    name: 'a group',
    avatarUrl: '',
    description: '',
    announcement: '',
    ownerId: '1',
    memberCount: 1200,
    createdAt: 0,
    updatedAt: 0,
    lastSeqId: 0,
    lastMessageId: 0,
  },
  userMembership: {
    conversationId,
    role: userId === '1' ? 3 : 1,
    muted: false,
    joinedAt: 0,
    lastReadSeqId: 0,
  },
  unreadCount: 0,
  peer: user(userId === '1' ? '2' : '1'),
});

/**
 * An im-repo with three users: 1 and 2 are friends of each other and of 3; 2 is online; 3 hides the presence from
 * everybody. User 1 sent friend request 50 to 2, and owns conversation 60.
 */
const repo = {
  friendships: {
    async getFriendRequest({ requestId }: { requestId: string }) {
      if (requestId !== '50') throw new GoChatError('REQUEST_NOT_FOUND', 'gone');
      return {
        request: {
          id: '50',
          requester: user('1'),
          target: user('2'),
          status: 1,
          message: '',
          createdAt: 0,
          updatedAt: 0,
          expiresAt: 0,
        },
      };
    },
    /** Answers one friend of each user per page. */
    batchGetFriendIds: async ({ userIds, cursor = '1' }: { userIds: string[]; cursor?: string }) => ({
      friends: userIds.map((userId) => ({ userId, friendIds: [cursor].filter((id) => id !== userId) })),
      nextCursor: { 1: '2', 2: '3' }[cursor],
    }),
  },
  users: {
    getUserSettings: async ({ userIds }: { userIds: string[] }) => ({
      settings: userIds.map((userId) => ({
        userId,
        ...defaultUserSettings,
        lastSeen: userId === '3' ? 'nobody' : 'friends',
      })),
    }),
  },
  presence: {
    batchGetOnlineStatus: async ({ userIds }: { userIds: string[] }) => ({
      statuses: userIds.map((userId) => ({
        userId,
        online: userId === '2',
        lastActiveAt: 0,
        gatewayIds: [],
      })),
    }),
  },
  conversations: {
    getConversationViews: async ({
      userIds,
      conversationId,
    }: {
      userIds: string[];
      conversationId: string;
    }) => ({
      views: userIds.map((userId) => ({ userId, conversation: conversationFor(userId, conversationId) })),
    }),
  },
} as unknown as RepoClient;

/** A pusher whose gateways record the pushes they get. They refuse the first `down` calls. */
function scene({ down = 0 } = {}) {
  const pushes: Push[] = [];
  let failures = down;
  const handle = createEventHandler({
    repo,
    metrics: createMetrics('test'),
    gateways: {
      async push(more) {
        if (failures-- > 0) throw new GoChatError('UNAVAILABLE', 'down');
        pushes.push(...more);
      },
      close: () => undefined,
    },
  });
  let offset = 0;
  return {
    handle: (...events: object[]) =>
      handle(
        events.map((value) => ({
          topic: 't',
          partition: 0,
          offset: String(offset++),
          timestamp: '0',
          value: { event_id: `e${offset}`, occurred_at: 0, actor_id: '1', ...value },
        })),
      ),
    /** The recorded pushes as `type → user ids`, with the data. */
    frames: () =>
      pushes.map(({ type, userIds, dataJson, excludeSessionId }) => ({
        type,
        userIds,
        data: JSON.parse(dataJson),
        excludeSessionId,
      })),
  };
}

const request = { request_id: '50', requester_id: '1', target_id: '2' };

test('a friend request goes to its target', async () => {
  const { handle, frames } = scene();
  await handle({ type: 'friend.request.created', ...request });
  assert.deepEqual(
    frames().map(({ type, userIds, data }) => [type, userIds, data.request.id, data.request.requester.id]),
    [['friend-request', ['2'], '50', '1']],
  );
});

test('an accepted request goes to both, with the conversation as each of them sees it', async () => {
  const { handle, frames } = scene();
  await handle({ type: 'friend.request.accepted', ...request, conversation_id: '60' });
  assert.deepEqual(
    frames().map(({ type, userIds, data }) => [type, userIds, data.conversation.peer.id]),
    [
      ['friend-request-handled', ['1'], '2'],
      ['friend-request-handled', ['2'], '1'],
    ],
  );
});

for (const what of ['rejected', 'withdrawn', 'expired']) {
  test(`both users get a request that was ${what}, without a conversation`, async () => {
    const { handle, frames } = scene();
    await handle({ type: `friend.request.${what}`, ...request });
    const [frame] = frames();
    assert.deepEqual([frame?.type, frame?.userIds], ['friend-request-handled', ['1', '2']]);
    assert.equal('conversation' in (frame?.data ?? {}), false);
  });
}

test('a conversation created by an acceptance causes one conversation-created and one answer', async () => {
  const { handle, frames } = scene();
  const createdEvent = 'conversation.created/60';
  await handle(
    {
      type: 'conversation.created',
      event_id: createdEvent,
      conversation_id: '60',
      conversation_type: 1,
      member_ids: ['1', '2'],
      friend_request_id: '50',
    },
    {
      type: 'friend.request.accepted',
      ...request,
      conversation_id: '60',
      created_event_id: createdEvent,
    },
  );
  assert.deepEqual(
    frames().map(({ type, userIds, data }) => [type, userIds, data.conversation.peer.id]),
    [
      ['conversation-created', ['1'], '2'],
      ['friend-request-handled', ['1'], '2'],
      ['conversation-created', ['2'], '1'],
      ['friend-request-handled', ['2'], '1'],
    ],
  );
});

test('a group is shown to each first member with the member’s own role', async () => {
  const { handle, frames } = scene();
  const memberIds = Array.from({ length: 1200 }, (_, index) => String(index + 1));
  await handle({
    type: 'conversation.created',
    conversation_id: '60',
    conversation_type: 2,
    member_ids: memberIds,
  });
  assert.deepEqual(
    frames().map(({ type, userIds, data }) => [type, userIds.length, data.conversation.role]),
    [
      ['conversation-created', 1, 3],
      ['conversation-created', 500, 1],
      ['conversation-created', 500, 1],
      ['conversation-created', 199, 1],
    ],
  );
  assert.deepEqual(new Set(frames().flatMap(({ userIds }) => userIds)), new Set(memberIds));
});

test('a change of a member’s role or mute is sent to that member only, with all fields', async () => {
  const { handle, frames } = scene();
  await handle({ type: 'conversation.member.updated', conversation_id: '60', user_ids: ['1', '2'] });
  assert.deepEqual(
    frames().map(({ type, userIds, data }) => [
      type,
      userIds,
      data.conversation.peer.id,
      personalFields.filter((field) => !(field in data.conversation)),
    ]),
    [
      ['conversation-updated', ['1'], '2', []],
      ['conversation-updated', ['2'], '1', []],
    ],
  );
});

test('a read receipt goes to the senders and to the reader’s other sessions', async () => {
  const { handle, frames } = scene();
  await handle({
    type: 'message.read',
    conversation_id: '60',
    seq_id: 7,
    sender_ids: ['2', '3'],
    session_id: 's1',
  });
  const data = { conversationId: '60', userId: '1', seqId: 7 };
  assert.deepEqual(frames(), [
    { type: 'message-read', userIds: ['2', '3'], data, excludeSessionId: '' },
    { type: 'message-read', userIds: ['1'], data, excludeSessionId: 's1' },
  ]);
});

test('friends get presence events in the order of the changes', async () => {
  const { handle, frames } = scene();
  await handle(
    { type: 'user.online', user_id: '1', epoch: 'x', last_active_at: 5 },
    { type: 'user.offline', user_id: '1', epoch: 'x', last_active_at: 6 },
  );
  assert.deepEqual(
    frames().map(({ userIds, data }) => [userIds, data]),
    [
      [['2', '3'], { userId: '1', status: 'online', lastActiveAt: 5 }],
      [['2', '3'], { userId: '1', status: 'offline', lastActiveAt: 6 }],
    ],
  );
});

test('the presence of a user who shows it to nobody is not sent', async () => {
  const { handle, frames } = scene();
  const event = { epoch: 'x', last_active_at: 5 };
  await handle(
    { type: 'user.online', user_id: '3', ...event },
    { type: 'user.online', user_id: '2', ...event },
    { type: 'user.offline', user_id: '3', ...event },
  );
  assert.deepEqual(
    frames().map(({ data }) => data.userId),
    ['2'],
  );
});

test('a user who is back is not announced as offline', async () => {
  const { handle, frames } = scene();
  const event = { epoch: 'x', last_active_at: 5 };
  await handle(
    { type: 'user.online', user_id: '2', ...event },
    { type: 'user.offline', user_id: '2', ...event },
  );
  assert.deepEqual(
    frames().map(({ data }) => data.status),
    ['online'],
  );
});

test('a repeated event is pushed once, and an event whose push failed is pushed later', async () => {
  const { handle, frames } = scene({ down: 1 });
  const event = { type: 'friend.request.created', event_id: 'same', ...request };
  await assert.rejects(handle(event), { code: 'UNAVAILABLE' });
  await handle(event, event);
  await handle(event);
  assert.equal(frames().length, 1);
});

test('events of deleted requests, and events without frames, are skipped', async () => {
  const { handle, frames } = scene();
  await handle(
    { type: 'friend.request.created', ...request, request_id: '51' },
    { type: 'conversation.member.added', conversation_id: '60', user_ids: ['5'] },
    { type: 'message.recalled', conversation_id: '60', message_id: 1, seq_id: 1 },
    { type: 'user.updated', user_id: '1' },
  );
  assert.deepEqual(frames(), []);
});

test('an invalid event is refused for good', async () => {
  await assert.rejects(scene().handle({ type: 5 }), { code: 'INVALID_ARGUMENT' });
});
