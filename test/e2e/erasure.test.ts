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
} from '../support/people/people.ts';

const nobody = createRest(gateway2Url);
const login = (username: string) => nobody.post<Session>('/auth/login', { username, password });

/** Erases an account and answers the status. */
async function erase(person: Person, body: Data = {}): Promise<number> {
  const response = await fetch(new URL('/users/profile', gateway2Url), {
    method: 'DELETE',
    headers: { authorization: `Bearer ${person.accessToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ password, ...body }),
  });
  return response.status;
}

const isGone = (call: Promise<unknown>) =>
  call.then(
    () => false,
    (error: unknown) => error instanceof ProblemError,
  );

test('a user who erases the account is signed out at once, and nobody finds the account', async () => {
  const [ann, bob] = (await newPeople(2)) as [Person, Person];
  const socket = await chat(ann);
  const other = await login(ann.user.username);
  assert.equal(await erase(ann, { password: 'not the password' }), 403);
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
  // The name stays reserved for a while.
  await refused(nobody.register(ann.user.username, password), 409, 'USERNAME_TAKEN');
});

test('messages that a user wants to keep stay as a deleted user’s; friends and groups continue without the user', async () => {
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

  const stays = { redactMessages: false };
  const answers = await Promise.all([erase(ann, stays), erase(ann, stays)]);
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
  const { username, displayName, createdAt } = seen.conversation.peer;
  assert.deepEqual([username, displayName, createdAt], ['deleted-user', 'deleted user', ann.user.createdAt]);
  await eventually(() => isGone(bob.rest.get(`/conversations/${alone}`)));
  await refused(bob.rest.post('/friends/requests', { targetUserId: ann.id }), 404, 'USER_NOT_FOUND');
  await refused(
    bob.rest.post(`/conversations/${joined}/members`, { userIds: [ann.id] }),
    404,
    'USER_NOT_FOUND',
  );
  await Promise.all([bobChat.close(), cyChat.close()]);
});

test('a redaction empties the user’s messages everywhere, also in groups that were left, and members learn of it by sync only', async () => {
  const [ann, bob, cy] = (await newPeople(3)) as [Person, Person, Person];
  const single = await befriend(ann, bob);
  const stayed = await newGroup(bob, [ann, cy]);
  const left = await newGroup(bob, [ann]);
  await ann.rest.post('/friends/requests', { targetUserId: cy.id, message: 'a text of ann' });
  const annChat = await chat(ann);
  for (const id of [single, stayed, left]) await annChat.say(id, `from ann in ${id}`);
  await annChat.close();
  const bobChat = await chat(bob);
  await bobChat.say(stayed, 'from bob');
  await ann.rest.delete(`/conversations/${left}/members/${ann.id}`);
  const page = `/conversations/${stayed}/messages`;
  const fetchPage = (etag = '') =>
    fetch(new URL(page, gateway2Url), {
      headers: { authorization: `Bearer ${bob.accessToken}`, 'if-none-match': etag },
    });
  const { headers } = await fetchPage();
  const { serverTime } = await bob.rest.post<Data>('/sync', { cursors: {} });

  assert.equal(await erase(ann), 202);
  await eventually(async () => {
    const all = await Promise.all([single, stayed, left].map((id) => wholeHistory(bob, id)));
    return all.every(([first]) => first?.deleted === true && first.content === '');
  });
  assert.deepEqual(
    (await wholeHistory(bob, stayed)).map(({ seqId, content }) => [seqId, content]),
    [
      [1, ''],
      [2, 'from bob'],
    ],
  );
  assert.equal((await fetchPage(headers.get('etag') ?? '')).status, 200);
  const { conversations } = await bob.rest.get<{ conversations: Data[] }>('/conversations');
  const listed = (id: string) => conversations.find((one) => one.id === id);
  assert.deepEqual([listed(single)?.lastMessage.content, listed(single)?.lastMessage.deleted], ['', true]);
  assert.deepEqual([listed(single)?.unreadCount, listed(left)?.unreadCount], [0, 0]);

  const { recalled } = await bob.rest.post<Data>('/sync', {
    cursors: { [single]: 1, [stayed]: 2, [left]: 1 },
    since: serverTime,
  });
  assert.deepEqual(
    (recalled as Data[]).map((one) => one.conversationId).sort(),
    [single, stayed, left].sort(),
  );
  const { requests } = await cy.rest.get<{ requests: Data[] }>('/friends/requests?direction=incoming');
  assert.deepEqual(
    requests.map(({ message }) => message),
    [''],
  );
  await bobChat.settled();
  for (const type of ['message-recalled', 'message-changed']) assert.deepEqual(bobChat.all(type), [], type);
  await bobChat.close();
});
