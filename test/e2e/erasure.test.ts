import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRest, ProblemError, type Session } from '../../clients/sdk/rest.ts';
import { eventually } from '../support/eventually.ts';
import {
  befriend,
  chat,
  type Data,
  gateway2Url,
  newGroup,
  newPeople,
  type Person,
  password,
  refused,
  wholeHistory,
} from '../support/people.ts';

const nobody = createRest(gateway2Url);
const login = (username: string) => nobody.post<Session>('/auth/login', { username, password });

/** Erases an account and answers the status. */
async function erase(person: Person, baseUrl = gateway2Url, given = password): Promise<number> {
  const response = await fetch(new URL('/users/profile', baseUrl), {
    method: 'DELETE',
    headers: { authorization: `Bearer ${person.accessToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ password: given }),
  });
  return response.status;
}

const isGone = (call: Promise<unknown>) =>
  call.then(
    () => false,
    (error: unknown) => error instanceof ProblemError,
  );

test('whoever erases the account is signed out at once and found by nobody', async () => {
  const [ann, bob] = (await newPeople(2)) as [Person, Person];
  const socket = await chat(ann);
  const other = await login(ann.user.username);
  assert.equal(await erase(ann, gateway2Url, 'not the password'), 403);
  assert.equal(await erase(ann), 202);
  await refused(nobody.as(ann.accessToken).get('/users/profile'), 401, 'UNAUTHENTICATED');
  assert.equal((await socket.closed).code, 4001);
  // The other gateway hears of it within its second.
  await eventually(() => isGone(ann.rest.get('/users/profile')));
  await eventually(() => isGone(createRest(gateway2Url).as(other.accessToken).get('/users/profile')));
  await refused(nobody.post('/auth/refresh', { refreshToken: ann.refreshToken }), 401, 'UNAUTHENTICATED');
  await refused(login(ann.user.username), 401, 'UNAUTHENTICATED');
  await refused(bob.rest.get(`/users/${ann.id}`), 404, 'USER_NOT_FOUND');
  const found = await bob.rest.get<{ users: Data[] }>(`/users/search?q=${ann.user.username}`);
  assert.deepEqual(found.users, []);
  await refused(nobody.register(ann.user.username, password), 409, 'USERNAME_TAKEN');
});

test('what somebody wrote stays as a deleted user’s; friends and groups go on without', async () => {
  const [ann, bob, cy] = (await newPeople(3)) as [Person, Person, Person];
  const single = await befriend(ann, bob);
  const owned = await newGroup(ann, [bob, cy]);
  const joined = await newGroup(bob, [ann]);
  const alone = await newGroup(ann, []);
  await ann.rest.patch(`/conversations/${owned}/members/${cy.id}`, { role: 2 });
  const { request } = await ann.rest.post<{ request: Data }>('/friends/requests', { targetUserId: cy.id });
  const annChat = await chat(ann);
  for (const id of [single, owned, joined]) await annChat.say(id, `from ann in ${id}`);
  const [bobChat, cyChat] = [await chat(bob), await chat(cy, gateway2Url)];

  const answers = await Promise.all([erase(ann), erase(ann)]);
  assert.ok(answers.every((status) => status === 202 || status === 401));
  assert.ok(answers.includes(202));

  const removed = (id: string) => (data: Data) => data.conversationId === id && data.userIds.includes(ann.id);
  await bobChat.expect('member-removed', removed(owned));
  await bobChat.expect('member-removed', removed(joined));
  await cyChat.expect('member-removed', removed(owned));
  const { conversation } = await cyChat.expect(
    'conversation-updated',
    (data) => data.conversation.id === owned && data.conversation.ownerId === cy.id,
  );
  assert.equal(conversation.memberCount, 2);
  await cyChat.expect('friend-request-handled', (data) => data.request.id === request.id);

  for (const id of [single, owned, joined]) {
    const [message] = await wholeHistory(bob, id);
    assert.equal(message?.content, `from ann in ${id}`);
    assert.deepEqual([message?.sender.id, message?.sender.displayName], [ann.id, 'deleted user']);
  }
  await refused(
    bob.rest.post(`/conversations/${single}/messages`, { clientMsgId: 'm1', content: 'are you there?' }),
    403,
    'NOT_FRIENDS',
  );
  assert.deepEqual((await bob.rest.get<{ friends: Data[] }>('/friends')).friends, []);
  const seen = await bob.rest.get<{ conversation: Data }>(`/conversations/${single}`);
  assert.equal(seen.conversation.peer.displayName, 'deleted user');
  await eventually(() => isGone(bob.rest.get(`/conversations/${alone}`)));
  await refused(bob.rest.post('/friends/requests', { targetUserId: ann.id }), 404, 'USER_NOT_FOUND');
  await refused(
    bob.rest.post(`/conversations/${joined}/members`, { userIds: [ann.id] }),
    404,
    'USER_NOT_FOUND',
  );
  await Promise.all([bobChat.close(), cyChat.close()]);
});
