import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newDesk, newUser, noFaults, open } from '../support/browser/browser.ts';
import { befriend, newPerson } from '../support/people/people.ts';

test('an alert is there only while something is wrong, and nothing jumps when it comes', async () => {
  const desk = await newDesk();
  const { page } = desk;
  await page.goto('/');
  const button = page.getByRole('button', { name: 'Sign in' });
  await button.waitFor();
  assert.equal(await page.getByRole('alert').count(), 0);
  const before = await button.boundingBox();
  await button.click();
  await page.getByRole('alert').filter({ hasText: 'Enter a username' }).waitFor();
  assert.deepEqual(await button.boundingBox(), before);
  await noFaults(desk);
});

test('lists are there while they are empty, and say so', async () => {
  const ann = await newUser('ann');
  const { page } = ann;
  await page.goto('/#/people');
  await page.getByRole('list', { name: 'Requests' }).getByText('No requests').waitFor();
  await page.getByRole('list', { name: 'Friends' }).getByText('No friends yet').waitFor();
  await page.getByRole('link', { name: 'Chats' }).click();
  await page.getByRole('list', { name: 'Conversations' }).waitFor();
  await noFaults(ann);
});

test('blocking and leaving happen at once, and somebody who was only found can be blocked', async () => {
  const [ann, bob, eve] = await Promise.all([newUser('ann'), newPerson('bob'), newPerson('eve')]);
  const { page } = ann;
  await befriend(ann.person, bob);
  const { conversation } = await bob.rest.post<{ conversation: { id: string } }>('/conversations', {
    type: 2,
    name: 'Harbour',
    memberIds: [ann.person.id],
  });
  await open(page, conversation.id);
  await page.getByRole('button', { name: 'Details' }).click();
  await page.getByRole('button', { name: 'Leave group' }).click();
  await page.waitForURL(/#\/$/);

  await page.goto('/#/people');
  const friends = page.getByRole('list', { name: 'Friends' });
  await friends.getByRole('button', { name: 'Block' }).click();
  await friends.getByText('No friends yet').waitFor();
  await page.getByRole('searchbox', { name: 'Search people' }).fill(eve.user.username);
  await page.getByRole('list', { name: 'Results' }).getByRole('button', { name: 'Block' }).click();
  await page.getByText('Blocked').first().waitFor();
  const { users } = await ann.person.rest.get<{ users: { id: string }[] }>('/blocks');
  assert.deepEqual(users.map(({ id }) => id).sort(), [bob.id, eve.id].sort());
  await noFaults(ann);
});

test('a profile is saved although its picture is a file of the server, and signing out clears the title', async () => {
  const [ann, bob] = await Promise.all([newUser('ann'), newPerson('bob')]);
  const { page } = ann;
  const id = await befriend(ann.person, bob);
  await bob.rest.post(`/conversations/${id}/messages`, { clientMsgId: 'b1', content: 'Hello' });
  await page.waitForFunction(() => document.title.startsWith('(1)'));
  await page.goto('/#/settings');
  await page.getByRole('textbox', { name: 'Address of a picture' }).fill('/files/none');
  await page.getByRole('textbox', { name: 'Display name' }).fill('Ann of the harbour');
  const [request] = await Promise.all([
    page.waitForRequest((one) => one.method() !== 'GET' && /\/users\/profile/.test(one.url())),
    page.getByRole('button', { name: 'Save' }).first().click(),
  ]);
  assert.match(request.postData() ?? '', /Ann of the harbour/);
  await page.getByRole('button', { name: 'Sign out', exact: true }).last().click();
  await page.getByRole('button', { name: 'Sign in' }).waitFor();
  assert.equal(await page.title(), 'GoChat');
});
