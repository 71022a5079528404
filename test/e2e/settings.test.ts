import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRest, type Session } from '../../clients/sdk/rest.ts';
import type { UserSettings } from '../../lib/wire/user-settings.ts';
import { eventually } from '../support/eventually.ts';
import {
  befriend,
  chat,
  type Data,
  gateway2Url,
  gatewayUrl,
  newFriends,
  newGroup,
  newPeople,
  newPerson,
  type Person,
  refused,
  uniqueName,
} from '../support/people/people.ts';

test('settings begin with the defaults, and a change is answered and kept', async () => {
  const ann = await newPerson('ann');
  const read = () => ann.rest.get<UserSettings>('/users/settings');
  assert.deepEqual(await read(), { groupInvites: 'everyone', lastSeen: 'friends', readReceipts: true });
  const chosen = { groupInvites: 'friends', lastSeen: 'nobody', readReceipts: false, locale: 'de-CH' };
  assert.deepEqual(await ann.rest.put('/users/settings', chosen), chosen);
  assert.deepEqual(await read(), chosen);
  const later = await ann.rest.put<UserSettings>('/users/settings', {
    lastSeen: 'everyone',
    locale: 'EN-us',
  });
  assert.deepEqual(later, { ...chosen, lastSeen: 'everyone', locale: 'en-US' });
  const { locale, ...rest } = later;
  assert.deepEqual(await ann.rest.put('/users/settings', { locale: '' }), rest);
  assert.deepEqual(await read(), rest);
});

test('an invalid setting is refused with the name of the field, and changes nothing', async () => {
  const ann = await newPerson('ann');
  const wrong: [string, unknown][] = [
    ['groupInvites', 'nobody'],
    ['groupInvites', 1],
    ['lastSeen', 'Everyone'],
    ['lastSeen', null],
    ['readReceipts', 'true'],
    ['readReceipts', 0],
    ['locale', 'en_US'],
    ['locale', 'not a language'],
    ['locale', 'x'.repeat(1000)],
    ['locale', null],
  ];
  for (const [field, value] of wrong) {
    const body = { readReceipts: false, [field]: value };
    const error = await refused(ann.rest.put('/users/settings', body), 400, 'INVALID_ARGUMENT');
    assert.ok(
      error.errors.some(({ path }) => path.includes(field)),
      JSON.stringify([value, error.errors]),
    );
  }
  await refused(ann.rest.call('PUT', '/users/settings', { body: [] }), 400, 'INVALID_ARGUMENT');
  const { readReceipts } = await ann.rest.get<UserSettings>('/users/settings');
  assert.equal(readReceipts, true);
});

test('users who accept invitations from friends only are named as refused, and the others are added', async () => {
  const [ann, bob, cy, eve] = (await newPeople(4)) as [Person, Person, Person, Person];
  await eve.rest.put('/users/settings', { groupInvites: 'friends' });
  const body = { type: 2, name: 'a group', memberIds: [bob.id, eve.id] };
  const idempotencyKey = uniqueName('key');
  const create = () => ann.rest.post<Data>('/conversations', body, { idempotencyKey });
  const created = await create();
  assert.deepEqual([created.refused, created.conversation.memberCount], [[eve.id], 2]);
  assert.deepEqual((await create()).refused, [eve.id]);

  const members = `/conversations/${created.conversation.id}/members`;
  const adding = await ann.rest.post(members, { userIds: [cy.id, eve.id] });
  assert.deepEqual(adding, { added: [cy.id], alreadyMembers: [], refused: [eve.id] });
  await befriend(ann, eve);
  assert.deepEqual(await ann.rest.post(members, { userIds: [eve.id] }), {
    added: [eve.id],
    alreadyMembers: [],
  });
});

test('a member removed by an admin cannot be added again by an ordinary member; an admin can, and the mute stays', async () => {
  const [ann, bob, cy] = (await newPeople(3)) as [Person, Person, Person];
  const id = await newGroup(ann, [bob, cy]);
  await ann.rest.patch(`/conversations/${id}`, { settings: { inviteBy: 'members' } });
  await ann.rest.patch(`/conversations/${id}/members/${cy.id}`, { muted: true });
  await ann.rest.delete(`/conversations/${id}/members/${cy.id}`);
  const add = (person: Person) => person.rest.post(`/conversations/${id}/members`, { userIds: [cy.id] });
  assert.deepEqual(await add(bob), { added: [], alreadyMembers: [], refused: [cy.id] });
  assert.deepEqual(await add(ann), { added: [cy.id], alreadyMembers: [] });
  const { conversation } = await cy.rest.get<Data>(`/conversations/${id}`);
  assert.equal(conversation.muted, true);
});

test('presence is shown to everyone, to friends or to nobody, as its user chose', async () => {
  const { ann, bob } = await newFriends();
  const eve = await newPerson('eve');
  const choose = (lastSeen: string) => ann.rest.put('/users/settings', { lastSeen });
  const friend = async () => (await bob.rest.get<{ friends: Data[] }>('/friends')).friends[0];
  const seenBy = async ({ rest }: Person) => {
    const { online, lastActiveAt } = await rest.get<Data>(`/users/${ann.id}`);
    return { online, lastActiveAt };
  };
  const socket = await chat(ann);
  await eventually(async () => (await friend()).online === true);
  assert.ok((await friend()).lastActiveAt > 0);
  assert.deepEqual(await seenBy(eve), { online: undefined, lastActiveAt: undefined });

  await choose('everyone');
  assert.equal((await friend()).online, true);
  const seen = await seenBy(eve);
  assert.ok(seen.online === true && seen.lastActiveAt > Date.now() - 60_000, JSON.stringify(seen));
  await ann.rest.put(`/blocks/${eve.id}`);
  assert.deepEqual(await seenBy(eve), { online: undefined, lastActiveAt: undefined });

  await choose('nobody');
  const { online, lastActiveAt } = await friend();
  assert.deepEqual([online, lastActiveAt], [false, 0]);
  assert.deepEqual(await seenBy(bob), { online: undefined, lastActiveAt: undefined });
  await socket.close();
});

test('friends get no presence of a user who shows it to nobody', async () => {
  const { ann, bob } = await newFriends();
  const cy = await newPerson('cy');
  await befriend(cy, bob);
  await ann.rest.put('/users/settings', { lastSeen: 'nobody' });
  const bobChat = await chat(bob);
  const annChat = await chat(ann);
  const cyChat = await chat(cy);
  await bobChat.expect('online-status', (data) => data.userId === cy.id && data.status === 'online');
  await bobChat.settled();
  assert.deepEqual(
    bobChat.all('online-status').filter((data: Data) => data.userId === ann.id),
    [],
  );
  await Promise.all([annChat, bobChat, cyChat].map((session) => session.close()));
});

test('a user without read receipts sends none and gets none, but still hears of the own ones', async () => {
  const [ann, bob, cy] = (await newPeople(3)) as [Person, Person, Person];
  const group = await newGroup(ann, [bob, cy]);
  await bob.rest.put('/users/settings', { readReceipts: false });
  const [annChat, cyChat] = [await chat(ann), await chat(cy)];
  const [phone, desktop] = [await chat(bob), await chat(bob, gateway2Url)];
  await annChat.say(group, 'a question');
  await cy.rest.put(`/conversations/${group}/read`, { seqId: 1 });
  const ofCy = { conversationId: group, userId: cy.id, seqId: 1 };
  assert.deepEqual(await annChat.expect('message-read'), ofCy);

  // He reads by marking, then by an answer. His other session hears of both, by the way that would have told others.
  phone.send('mark-read', { conversationId: group, seqId: 1 });
  const own = { conversationId: group, userId: bob.id };
  assert.deepEqual(await desktop.expect('message-read'), { ...own, seqId: 1 });
  await annChat.say(group, 'and another one');
  await phone.say(group, 'an answer');
  assert.deepEqual(await desktop.expect('message-read', ({ seqId }) => seqId > 1), { ...own, seqId: 3 });
  for (const socket of [annChat, cyChat, phone, desktop]) await socket.settled();
  assert.deepEqual(annChat.all('message-read'), [ofCy]);
  assert.deepEqual(cyChat.all('message-read'), [ofCy], 'of her own reading only');
  for (const socket of [phone, desktop]) {
    assert.deepEqual(
      socket.all('message-read').filter(({ userId }) => userId !== bob.id),
      [],
    );
  }

  const pointers = async (by: Person) => {
    const { members } = await by.rest.get<{ members: Data[] }>(`/conversations/${group}/members`);
    return [ann, bob, cy].map(({ id }) => members.find((one) => one.id === id)?.lastReadSeqId);
  };
  assert.deepEqual(await pointers(ann), [2, 0, 1]);
  assert.deepEqual(await pointers(bob), [0, 3, 0]);
  await Promise.all([annChat, cyChat, phone, desktop].map((socket) => socket.close()));
});

test('the members of the world room are listed for operators only', async () => {
  const guest = await createRest(gatewayUrl).post<Session>('/auth/guest');
  for (const rest of [(await newPerson()).rest, createRest(gatewayUrl).as(guest.accessToken)]) {
    await refused(rest.get('/conversations/1/members'), 403, 'PERMISSION_DENIED');
    await refused(rest.get('/conversations/1/members?limit=1&offset=5'), 403, 'PERMISSION_DENIED');
  }
});

test('a user’s choices for a conversation are sent to the user’s own sessions only, at once and after a reconnect', async () => {
  const { ann, bob, conversationId: id } = await newFriends();
  const { serverTime: since } = await ann.rest.post<Data>('/sync', { cursors: {} });
  const [phone, desktop, other] = [await chat(ann), await chat(ann, gateway2Url), await chat(bob)];
  const choose = (body: object) => ann.rest.patch<Data>(`/conversations/${id}/me`, body);
  const listed = async (query = '') => {
    const { conversations } = await ann.rest.get<{ conversations: Data[] }>(`/conversations${query}`);
    return conversations.filter(({ type }) => type === 1);
  };
  const chosenOf = ({ notifications, pinned, hidden }: Data) => [notifications, pinned, hidden];
  assert.deepEqual((await listed()).map(chosenOf), [['all', false, false]]);

  const { conversation } = await choose({ notifications: 'mentions', pinned: true, hidden: true });
  assert.deepEqual(chosenOf(conversation), ['mentions', true, true]);
  for (const session of [phone, desktop]) {
    const told = (await session.expect('conversation-updated')).conversation;
    assert.deepEqual([told.id, ...chosenOf(told)], [id, 'mentions', true, true]);
    assert.deepEqual([told.role, told.muted, told.lastReadSeqId, told.unreadCount], [1, false, 0, 0]);
  }
  assert.deepEqual(await listed(), []);
  assert.deepEqual((await listed(`?updatedSince=${since}`)).map(chosenOf), [['mentions', true, true]]);
  const synced = await ann.rest.post<Data>('/sync', { cursors: { [id]: 0 }, since });
  assert.deepEqual(
    synced.conversations.map((one: Data) => chosenOf(one.conversation)),
    [['mentions', true, true]],
  );
  const again = (await ann.rest.get<Data>(`/conversations/${id}`)).conversation;
  assert.equal(again.hidden, true);

  await other.say(id, 'here again');
  assert.deepEqual((await listed()).map(chosenOf), [['mentions', true, false]]);
  await other.settled();
  assert.deepEqual(other.all('conversation-updated'), []);
  await Promise.all([phone, desktop, other].map((session) => session.close()));
});

test('an invalid choice for a conversation is refused, and so is one for another user’s conversation', async () => {
  const { ann, conversationId } = await newFriends();
  const eve = await newPerson('eve');
  const path = `/conversations/${conversationId}/me`;
  for (const body of [{ notifications: 'some' }, { pinned: 'yes' }, { hidden: 1 }, { pinned: null }]) {
    await refused(ann.rest.patch(path, body), 400, 'INVALID_ARGUMENT');
  }
  await refused(eve.rest.patch(path, { pinned: true }), 403, 'NOT_CONVERSATION_MEMBER');
  await refused(ann.rest.patch('/conversations/9/me', { pinned: true }), 404, 'CONVERSATION_NOT_FOUND');
});
