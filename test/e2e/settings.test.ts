import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UserSettings } from '../../lib/wire/user-settings.ts';
import {
  befriend,
  type Data,
  newGroup,
  newPeople,
  newPerson,
  type Person,
  refused,
  uniqueName,
} from '../support/people.ts';

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

test('a wrong choice is refused with the field named, and changes nothing', async () => {
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

test('who takes invitations from friends only is named as refused, and the rest is in', async () => {
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

test('whom an admin removed an ordinary member cannot bring back, an admin can: muted as before', async () => {
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
