import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FriendRequest } from '../../clients/sdk/rest.ts';
import { ConversationType } from '../../lib/gen/im_repo/v1/conversation.ts';
import { chat, type Data, newPeople, type Person } from '../support/people/people.ts';

/**
 * What the system asks im-repo by itself, whatever people do; and where the receivers of a frame are, which a gateway asks
 * while its own sockets may have the frame already.
 */
const background =
  /^(BatchGetFriendIds|BatchGetOnlineStatus|CleanupExpiredStatus|ConfirmOffline|GetFanoutProgress|GetUserSettings|ListGateways|ListRevokedSessions|LocateUsers|RenewGateway|UpdateSessions)$/;

/** How often im-repo has been asked for what, by RPC. */
async function callsSoFar(): Promise<Map<string, number>> {
  const url = process.env.REPO_METRICS_URL ?? assert.fail('run the tests by `npm test`');
  const text = await (await fetch(url)).text();
  const counts = text.matchAll(
    /^gochat_grpc_server_duration_seconds_count\{.*method="\/im_repo\.v1\.\w+\/(\w+)".*\} (\d+)$/gm,
  );
  const calls = new Map<string, number>();
  for (const [, rpc = '', count] of counts) calls.set(rpc, (calls.get(rpc) ?? 0) + Number(count));
  return calls;
}

/** The RPCs of im-repo that an action causes until all sockets have its frames. */
async function callsOf(action: () => Promise<unknown>): Promise<Record<string, number>> {
  const before = await callsSoFar();
  await action();
  const after = await callsSoFar();
  return Object.fromEntries(
    [...after]
      .map(([rpc, count]) => [rpc, count - (before.get(rpc) ?? 0)] as const)
      .filter(([rpc, count]) => count > 0 && !background.test(rpc)),
  );
}

test('a friend request, its acceptance and a group ask im-repo as often as they have steps and answers', async (t) => {
  const [ann, bob] = (await newPeople(2)) as [Person, Person];
  const sockets = [await chat(ann), await chat(bob)] as const;
  t.after(() => Promise.all(sockets.map((socket) => socket.close())));
  const [, bobChat] = sockets;
  let requestId = '';

  const asked = await callsOf(async () => {
    const body = { targetUserId: bob.id, message: 'hello' };
    const { request } = await ann.rest.post<{ request: FriendRequest }>('/friends/requests', body);
    requestId = request.id;
    await bobChat.expect('friend-request');
  });
  assert.deepEqual(asked, {
    GetRelationships: 1,
    KeepFlowTexts: 1,
    CreateFriendRequest: 1,
    // For the answer, and for the frame.
    GetFriendRequest: 2,
  });

  const accepted = await callsOf(async () => {
    await bob.rest.put<{ conversation: Data }>(`/friends/requests/${requestId}`, { action: 1 });
    for (const socket of sockets) {
      await Promise.all([socket.expect('friend-request-handled'), socket.expect('conversation-created')]);
    }
  });
  assert.deepEqual(accepted, {
    // Whose request it is, and for the frames.
    GetFriendRequest: 2,
    UpdateFriendRequest: 1,
    CreateConversation: 1,
    GetConversation: 1,
    GetConversationViews: 1,
  });

  const grouped = await callsOf(async () => {
    await ann.rest.post('/conversations', {
      type: ConversationType.CONVERSATION_TYPE_GROUP,
      name: 'Two',
      memberIds: [bob.id],
    });
    const isGroup = ({ conversation }: Data) =>
      conversation.type === ConversationType.CONVERSATION_TYPE_GROUP;
    await Promise.all(sockets.map((socket) => socket.expect('conversation-created', isGroup)));
  });
  assert.deepEqual(grouped, {
    GetUser: 1,
    // Before a flow is begun, and as its first step.
    GetRelationships: 2,
    BeginRequest: 1,
    KeepFlowTexts: 1,
    CreateConversation: 1,
    AddConversationMember: 1,
    ActivateConversation: 1,
    GetConversation: 1,
    GetConversationViews: 1,
  });
});
