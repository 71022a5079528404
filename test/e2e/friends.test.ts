import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FriendRequest } from '../../clients/sdk/rest.ts';
import {
  befriend,
  chat,
  type Data,
  gateway2Url,
  newFriends,
  newPeople,
  newPerson,
  type Person,
  refused,
} from '../support/people/people.ts';

const ask = (from: Person, to: Person, message = '') =>
  from.rest.post<{ request: FriendRequest }>('/friends/requests', { targetUserId: to.id, message });
const answer = (who: Person, requestId: string, action: number) =>
  who.rest.put<{ request: FriendRequest; conversation?: Data }>(`/friends/requests/${requestId}`, { action });

test('a request reaches the target’s socket on another gateway, and accepting it opens a conversation for both', async () => {
  const [ann, bob] = (await newPeople(2)) as [Person, Person];
  const annChat = await chat(ann);
  const bobChat = await chat(bob, gateway2Url);

  const { request } = await ask(ann, bob, 'hello Bob 👋');
  assert.equal(request.status, 0);
  assert.equal(request.message, 'hello Bob 👋');
  assert.deepEqual([request.requester.id, request.target.id], [ann.id, bob.id]);
  assert.ok(request.expiresAt > Date.now() + 29 * 86_400_000);
  assert.deepEqual((await bobChat.expect('friend-request')).request, request);

  const accepted = await answer(bob, request.id, 1);
  assert.equal(accepted.request.status, 1);
  assert.equal(accepted.conversation.type, 1);
  assert.equal(accepted.conversation.peer.id, ann.id);
  for (const [socket, peer] of [
    [annChat, bob],
    [bobChat, ann],
  ] as const) {
    const handled = await socket.expect('friend-request-handled');
    assert.equal(handled.request.status, 1);
    assert.equal(handled.conversation.id, accepted.conversation.id);
    assert.equal(handled.conversation.peer.id, peer.id);
    const created = await socket.expect('conversation-created');
    assert.equal(created.conversation.id, accepted.conversation.id);
    assert.equal(created.conversation.peer.id, peer.id);
  }
  const { friends } = await ann.rest.get<{ friends: Data[] }>('/friends');
  assert.deepEqual(
    friends.map(({ id, online, conversationId }) => ({ id, online, conversationId })),
    [{ id: bob.id, online: true, conversationId: accepted.conversation.id }],
  );
  await Promise.all([annChat.close(), bobChat.close()]);
});

test('both users get a rejection; the requester has to wait before another request, the other user may send one at once', async () => {
  const [ann, bob] = (await newPeople(2)) as [Person, Person];
  const annChat = await chat(ann);
  const { request } = await ask(ann, bob);
  const rejected = await answer(bob, request.id, 2);
  assert.equal(rejected.request.status, 2);
  assert.equal(rejected.conversation, undefined);
  assert.equal((await annChat.expect('friend-request-handled')).request.status, 2);
  await refused(answer(bob, request.id, 1), 409, 'REQUEST_ALREADY_HANDLED');

  const again = await fetch(new URL('/friends/requests', gateway2Url), {
    method: 'POST',
    headers: { authorization: `Bearer ${ann.accessToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ targetUserId: bob.id }),
  });
  assert.equal(again.status, 429);
  assert.equal(((await again.json()) as Data).code, 'RATE_LIMITED');
  const retryAfter = Number(again.headers.get('retry-after'));
  assert.ok(retryAfter > 86_400 - 600 && retryAfter <= 86_400, String(retryAfter));

  const back = await ask(bob, ann);
  assert.equal((await answer(ann, back.request.id, 1)).request.status, 1);
  await annChat.close();
});

test('only the target answers, only the requester withdraws', async () => {
  const [ann, bob, eve] = (await newPeople(3)) as [Person, Person, Person];
  const { request } = await ask(ann, bob);
  await refused(answer(ann, request.id, 1), 403, 'PERMISSION_DENIED');
  await refused(answer(eve, request.id, 1), 403, 'PERMISSION_DENIED');
  await refused(bob.rest.delete(`/friends/requests/${request.id}`), 403, 'PERMISSION_DENIED');
  await refused(answer(bob, '1', 1), 404, 'REQUEST_NOT_FOUND');
  await refused(answer(bob, 'not-an-id', 1), 404, 'REQUEST_NOT_FOUND');
  await refused(answer(bob, request.id, 3), 400, 'INVALID_ARGUMENT');
  await ann.rest.delete(`/friends/requests/${request.id}`);
  await refused(answer(bob, request.id, 1), 409, 'REQUEST_ALREADY_HANDLED');
});

test('a request to oneself, an unknown user, a friend or a blocker is refused', async () => {
  const { ann, bob } = await newFriends();
  const eve = await newPerson();
  await refused(ask(ann, ann), 400, 'INVALID_ARGUMENT');
  await refused(ann.rest.post('/friends/requests', { targetUserId: '1' }), 404, 'USER_NOT_FOUND');
  await refused(ask(ann, bob), 409, 'ALREADY_FRIENDS');
  await bob.rest.put(`/blocks/${eve.id}`);
  await refused(ask(eve, bob), 403, 'BLOCKED');
});

test('repeating a pending request answers the same one', async () => {
  const [ann, bob] = (await newPeople(2)) as [Person, Person];
  const first = await ask(ann, bob);
  const second = await ask(ann, bob);
  assert.equal(second.request.id, first.request.id);
  const { requests } = await bob.rest.get<{ requests: FriendRequest[] }>(
    '/friends/requests?direction=incoming&status=0',
  );
  assert.deepEqual(
    requests.map(({ id }) => id),
    [first.request.id],
  );
});

test('both asking at once become friends, once', async () => {
  const [ann, bob] = (await newPeople(2)) as [Person, Person];
  await Promise.all([ask(ann, bob), ask(bob, ann)]);
  const { friends } = await ann.rest.get<{ friends: Data[] }>('/friends');
  assert.deepEqual(
    friends.map(({ id }) => id),
    [bob.id],
  );
  const { conversations } = await bob.rest.get<{ conversations: Data[] }>('/conversations');
  assert.equal(conversations.filter(({ type }) => type === 1).length, 1);
});

test('unfriending leaves the conversation readable and refuses messages; friends again may write again', async () => {
  const { ann, bob, conversationId } = await newFriends();
  const socket = await chat(ann);
  await socket.say(conversationId, 'before');
  await bob.rest.delete(`/friends/${ann.id}`);
  await assert.rejects(socket.say(conversationId, 'after'), { message: 'NOT_FRIENDS' });
  assert.equal((await ann.rest.messagesAfter(conversationId, 0)).messages.length, 1);
  assert.equal(await befriend(ann, bob), conversationId);
  assert.equal((await socket.say(conversationId, 'again')).seqId, 2);
  await socket.close();
});

test('a block ends the friendship and refuses both ways; lifting it restores nothing', async () => {
  const { ann, bob, conversationId } = await newFriends();
  await ann.rest.put(`/blocks/${bob.id}`);
  const { users } = await ann.rest.get<{ users: Data[] }>('/blocks');
  assert.deepEqual(
    users.map(({ id }) => id),
    [bob.id],
  );
  const message = { clientMsgId: 'x', content: 'hi' };
  await refused(ann.rest.post(`/conversations/${conversationId}/messages`, message), 403, 'BLOCKED');
  await refused(bob.rest.post(`/conversations/${conversationId}/messages`, message), 403, 'BLOCKED');
  await ann.rest.delete(`/blocks/${bob.id}`);
  await refused(bob.rest.post(`/conversations/${conversationId}/messages`, message), 403, 'NOT_FRIENDS');
  assert.deepEqual((await bob.rest.get<{ friends: Data[] }>('/friends')).friends, []);
});

test('a remark is visible to its author only', async () => {
  const { ann, bob } = await newFriends();
  await ann.rest.put(`/friends/${bob.id}`, { remark: 'from school' });
  assert.equal((await ann.rest.get<{ friends: Data[] }>('/friends')).friends[0].remark, 'from school');
  assert.equal((await bob.rest.get<{ friends: Data[] }>('/friends')).friends[0].remark, '');
});

test('only friends are notified, at once, when a user comes online', async () => {
  const { ann, bob } = await newFriends();
  const eve = await newPerson();
  const [bobChat, eveChat] = [await chat(bob, gateway2Url), await chat(eve)];
  const annChat = await chat(ann);
  const status = await bobChat.expect('online-status', (data) => data.userId === ann.id);
  assert.equal(status.status, 'online');
  await eveChat.settled();
  assert.deepEqual(eveChat.all('online-status'), []);
  await Promise.all([annChat.close(), bobChat.close(), eveChat.close()]);
});
