import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pages } from '../../clients/sdk/lists.ts';
import { createRest, type Message } from '../../clients/sdk/rest.ts';
import {
  befriend,
  chat,
  gateway2Url,
  newFriends,
  newGroup,
  newPeople,
  newPerson,
  type Person,
  password,
  refused,
} from '../support/people/people.ts';

const named = (path: string, plural: string) => ({ path, plural });

/** The ids of a list's pages, doing something between each two of them. */
async function idsOf<Row extends { id: string }>(
  pages: Pages<Row>,
  between: (page: number) => Promise<unknown> = async () => undefined,
): Promise<string[]> {
  const ids: string[] = [];
  let count = 0;
  for await (const { rows, nextCursor } of pages) {
    ids.push(...rows.map(({ id }) => id));
    if (nextCursor !== undefined) await between(++count);
  }
  return ids;
}

/** That of all that stayed in place each came once, and of what moved or left none twice. */
function cameOnce(found: readonly string[], staying: readonly string[]): void {
  assert.deepEqual(found, [...new Set(found)], 'nothing twice');
  assert.deepEqual(
    staying.filter((id) => !found.includes(id)),
    [],
    'nothing left out',
  );
}

test('conversations, while others get messages, are left and are created', async () => {
  const [ann, bob] = (await newPeople(2)) as [Person, Person];
  const groups: string[] = [];
  for (let n = 0; n < 7; n += 1) groups.unshift(await newGroup(ann, [bob]));
  const [newest = '', second = '', ...others] = groups;
  const oldest = others.pop() ?? '';
  const left = others.pop() ?? '';
  const socket = await chat(bob, gateway2Url);
  const found = await idsOf(ann.rest.list.conversations({ limit: 2 }), async (page) => {
    if (page > 1) return;
    await newGroup(ann, [bob]);
    await socket.say(oldest, 'moves to the front');
    await ann.rest.call('DELETE', `/conversations/${left}`);
  });
  await socket.close();
  cameOnce(found, [newest, second, ...others]);
  assert.ok(!found.includes(left));

  // What moved is found by what changed since the first page was read.
  const { conversations } = await ann.rest.get<{ conversations: { id: string; updatedAt: number }[] }>(
    '/conversations',
  );
  const since = conversations.find(({ id }) => id === newest)?.updatedAt ?? 0;
  assert.ok((await idsOf(ann.rest.list.conversations({ limit: 1, updatedSince: since }))).includes(oldest));
});

test('members, while some leave and others come', async () => {
  const [owner, ...others] = (await newPeople(8)) as [Person, ...Person[]];
  const late = others.pop();
  assert.ok(late);
  const group = await newGroup(owner, others);
  const inOrder = [owner, ...others].toSorted((a, b) => Number(a.id) - Number(b.id));
  const leaving = inOrder.filter(({ id }) => id !== owner.id)[0];
  assert.ok(leaving);
  const found = await idsOf(owner.rest.list.members(group, { limit: 2 }), async (page) => {
    if (page > 1) return;
    await leaving.rest.delete(`/conversations/${group}/members/${leaving.id}`);
    await owner.rest.post(`/conversations/${group}/members`, { userIds: [late.id] });
  });
  cameOnce(
    found,
    inOrder.filter(({ id }) => id !== leaving.id).map(({ id }) => id),
  );
});

test('friends, requests and blocks, while each changes', async () => {
  const [me, ...others] = (await newPeople(7)) as [Person, ...Person[]];
  const ask = (to: Person) =>
    me.rest.post<{ request: { id: string } }>('/friends/requests', { targetUserId: to.id });
  const requests: string[] = [];
  for (const other of others) requests.unshift((await ask(other)).request.id);
  const stranger = await newPerson();
  const asked = await idsOf(
    me.rest.list.friendRequests({ direction: 'outgoing', status: 0, limit: 2 }),
    async (page) => {
      if (page > 1) return;
      await ask(stranger);
      await me.rest.delete(`/friends/requests/${requests[0]}`);
    },
  );
  assert.deepEqual(asked, requests);
  const incoming = await others[0]?.rest.list.friendRequests({ direction: 'incoming' }).next();
  assert.deepEqual(
    incoming?.value?.rows.map(({ id }) => id),
    [requests[5]],
  );

  const friends: string[] = [];
  for (const [index, other] of others.entries()) {
    if (index < 5) await other.rest.put(`/friends/requests/${requests[5 - index]}`, { action: 1 });
    else await befriend(me, other);
    friends.push(other.id);
  }
  friends.sort((a, b) => Number(a) - Number(b));
  const known = await idsOf(me.rest.list.friends({ limit: 2 }), async (page) => {
    if (page > 1) return;
    await me.rest.delete(`/friends/${friends[1]}`);
  });
  assert.deepEqual(known, friends);

  for (const { id } of others) await me.rest.put(`/blocks/${id}`);
  const blocked = others.map(({ id }) => id).toReversed();
  const found = await idsOf(me.rest.list.blocks({ limit: 2 }), async (page) => {
    if (page > 1) return;
    await me.rest.put(`/blocks/${stranger.id}`);
    await me.rest.delete(`/blocks/${blocked[1]}`);
  });
  assert.deepEqual(found, blocked);
});

test('sessions, while one is used and others come and go', async () => {
  const person = await newPerson();
  const login = () =>
    createRest(gateway2Url).post<{ sessionId: string; refreshToken: string }>('/auth/login', {
      username: person.user.username,
      password,
    });
  const sessions = [{ sessionId: person.sessionId, refreshToken: person.refreshToken }];
  for (let n = 0; n < 4; n += 1) sessions.unshift(await login());
  const [newest, , , used] = sessions;
  const found = await idsOf(person.rest.list.sessions({ limit: 2 }), async (page) => {
    if (page > 1) return;
    await login();
    await person.rest.delete(`/auth/sessions/${newest?.sessionId}`);
    await createRest(gateway2Url).post('/auth/refresh', { refreshToken: used?.refreshToken });
  });
  assert.deepEqual(
    found,
    sessions.map(({ sessionId }) => sessionId),
  );
});

test('every list refuses a cursor of another list, an invalid cursor, and a cursor with an offset', async () => {
  const [me, a, b] = (await newPeople(3)) as [Person, Person, Person];
  const group = await newGroup(me, [a, b]);
  const { message } = await me.rest.post<{ message: Message }>(`/conversations/${group}/messages`, {
    clientMsgId: 'reacted',
    content: 'hello',
  });
  const reactions = `/conversations/${group}/messages/${message.id}/reactions`;
  await Promise.all(['❤️', '👍'].map((emoji) => me.rest.put(`${reactions}/${encodeURIComponent(emoji)}`)));
  const lists = [
    named('/conversations', 'conversations'),
    named(reactions, 'reactions'),
    named(`/conversations/${group}/members`, 'members'),
    named('/friends', 'friends'),
    named('/friends/requests', 'requests'),
    named('/blocks', 'users'),
    named('/auth/sessions', 'sessions'),
  ];
  const { nextCursor } = await me.rest.get<{ nextCursor: string }>('/conversations?limit=1');
  const ofMembers = await me.rest.get<{ nextCursor: string }>(`/conversations/${group}/members?limit=1`);
  for (const { path, plural } of lists) {
    const whole = await me.rest.get<Record<string, unknown[]>>(`${path}?limit=200`);
    assert.ok(Array.isArray(whole[plural]), path);
    assert.ok(!('nextCursor' in whole), `${path}: the last page has none`);
    const foreign = path === '/conversations' ? ofMembers.nextCursor : nextCursor;
    for (const query of [
      `cursor=${foreign}`,
      'cursor=nonsense',
      'cursor=',
      `cursor=${nextCursor}&offset=0`,
    ]) {
      const problem = await refused(me.rest.get(`${path}?${query}`), 400, 'INVALID_ARGUMENT');
      assert.equal(problem.errors[0]?.path, 'cursor', `${path}?${query}`);
    }
  }
  // A cursor is as good at any gateway.
  const elsewhere = createRest(gateway2Url, me.accessToken);
  const { conversations } = await elsewhere.get<{ conversations: { id: string }[] }>(
    `/conversations?cursor=${nextCursor}`,
  );
  assert.equal(conversations.length, 1, 'the world room is left');
});

test('a page of two hundred messages, each as large as one may be, comes whole', async () => {
  const { ann, bob, conversationId } = await newFriends();
  const content = '😀'.repeat(4000);
  const path = `/conversations/${conversationId}/messages`;
  for (let from = 0; from < 200; from += 20) {
    await Promise.all(
      Array.from({ length: 20 }, (_, n) => ann.rest.post(path, { clientMsgId: `${from + n}`, content })),
    );
  }
  const page = () => bob.rest.get<{ messages: Message[] }>(`${path}?limit=200`);
  for (const { messages } of await Promise.all([page(), page(), page()])) {
    assert.deepEqual(
      messages.map(({ seqId }) => seqId),
      Array.from({ length: 200 }, (_, n) => n + 1),
    );
    assert.ok(messages.every((message) => message.content === content));
  }
});
