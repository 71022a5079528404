import { test } from 'node:test';
import { messageOf, newUser, noFaults, open, say } from '../support/browser/browser.ts';
import { befriend, newPerson } from '../support/people/people.ts';

test('people find each other, become friends and talk', async () => {
  const [ann, bob] = await Promise.all([newUser('ann'), newUser('bob')]);
  await ann.page.getByRole('link', { name: 'People' }).click();
  await ann.page.getByRole('searchbox', { name: 'Search people' }).fill(bob.person.user.username);
  await ann.page.getByRole('button', { name: 'Add friend' }).click();
  await ann.page.getByRole('list', { name: 'Requests' }).getByRole('button', { name: 'Withdraw' }).waitFor();
  await bob.page.getByRole('link', { name: 'People' }).click();
  await bob.page.getByRole('list', { name: 'Requests' }).getByRole('button', { name: 'Accept' }).click();
  const friend = ann.page.getByRole('list', { name: 'Friends' }).getByRole('listitem');
  await friend.filter({ hasText: bob.person.user.username }).getByRole('button', { name: 'Message' }).click();
  await say(ann.page, 'Hello');
  await bob.page.getByRole('link', { name: 'Chats' }).click();
  await bob.page.getByRole('link', { name: new RegExp(`^${ann.person.user.username}.*1 unread`) }).waitFor();
  await noFaults(ann, bob);
});

test('a group is made, its members are managed, and it is dissolved', async () => {
  const [ann, bob, eve] = await Promise.all([newUser('ann'), newUser('bob'), newPerson('eve')]);
  await Promise.all([befriend(ann.person, bob.person), befriend(ann.person, eve)]);
  const { page } = ann;
  const bobName = bob.person.user.username;
  await page.getByRole('button', { name: 'New group' }).click();
  const dialog = page.getByRole('dialog', { name: 'New group' });
  await dialog.getByRole('textbox', { name: 'Group name' }).fill('Harbour');
  await dialog.getByRole('checkbox', { name: bobName }).check();
  await dialog.getByRole('button', { name: 'Create' }).click();
  await page.getByRole('heading', { name: 'Harbour' }).waitFor();
  await bob.page.getByRole('link', { name: /^Harbour/ }).click();
  await say(bob.page, 'Here I am');
  await messageOf(page, 'Here I am').waitFor();

  await page.getByRole('button', { name: 'Details' }).click();
  const members = page.getByRole('list', { name: 'Members' });
  await page.getByRole('button', { name: 'Add members' }).click();
  await page.getByRole('checkbox', { name: eve.user.username }).check();
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await members.getByRole('listitem').filter({ hasText: eve.user.username }).waitFor();

  const act = async (name: string, action: string) => {
    await members.getByRole('listitem').filter({ hasText: name }).getByRole('button').click();
    await page.getByRole('menuitem', { name: action }).click();
  };
  await act(bobName, 'Make admin');
  await members.getByRole('listitem').filter({ hasText: bobName }).getByText('Admin').waitFor();
  await act(eve.user.username, 'Remove');
  await members.getByRole('listitem').filter({ hasText: eve.user.username }).waitFor({ state: 'detached' });
  await page.getByRole('textbox', { name: 'Announcement' }).fill('Meet at noon');
  await page.getByRole('button', { name: 'Save' }).click();
  await bob.page.getByRole('button', { name: 'Details' }).click();
  await bob.page
    .getByRole('textbox', { name: 'Announcement' })
    .and(bob.page.getByText('Meet at noon'))
    .waitFor();

  await page.getByRole('button', { name: 'Dissolve group' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Dissolve group' }).click();
  await bob.page.getByRole('link', { name: /^Harbour/ }).waitFor({ state: 'detached' });
  await page.waitForURL(/#\/$/);
  await open(page, await befriend(ann.person, await newPerson('new')));
  await noFaults(ann, bob);
});
