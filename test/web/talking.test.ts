import assert from 'node:assert/strict';
import { test } from 'node:test';
import { log, messageOf, newDesk, newUser, noFaults, open, say } from '../support/browser/browser.ts';
import { befriend, uniqueName } from '../support/people/people.ts';

test('two people talk: each sees what the other wrote, and that it was read', async () => {
  const [ann, bob] = await Promise.all([newUser('ann'), newUser('bob')]);
  const id = await befriend(ann.person, bob.person);
  await open(ann.page, id);
  await ann.page.getByRole('heading', { name: bob.person.user.username }).waitFor();
  await say(ann.page, 'Hello Bob');
  await messageOf(ann.page, 'Hello Bob').getByText('Sent').waitFor();

  const row = bob.page.getByRole('list', { name: 'Conversations' }).getByRole('link', { name: /1 unread/ });
  await row.click();
  await messageOf(bob.page, 'Hello Bob').waitFor();
  const name = await messageOf(bob.page, 'Hello Bob').getAttribute('aria-label');
  assert.match(name ?? '', new RegExp(`^${ann.person.user.username}, \\d\\d:\\d\\d$`));
  await messageOf(ann.page, 'Hello Bob').getByText('Read').waitFor();

  await bob.page.getByRole('textbox', { name: 'Message', exact: true }).pressSequentially('Hi');
  await ann.page.getByText(/is typing/).waitFor();
  await bob.page.keyboard.press('Shift+Enter');
  await bob.page.keyboard.type('Ann');
  await bob.page.getByRole('button', { name: 'Send' }).click();
  await messageOf(ann.page, 'Hi').waitFor();
  assert.match((await messageOf(ann.page, 'Hi').textContent()) ?? '', /Hi\nAnn/);
  assert.equal(await log(bob.page).getByRole('article').count(), 2);
  await noFaults(ann, bob);
});

test('a reload in the moment of signing in keeps one signed in', async () => {
  const desk = await newDesk();
  const { page } = desk;
  await page.goto('/');
  await page.getByRole('textbox', { name: 'Username' }).fill(uniqueName('quick'));
  await page.getByRole('textbox', { name: 'Password' }).fill('correct horse battery');
  // The page goes as soon as it knows the session, before anything else can be stored.
  await page.evaluate(() => {
    const { setItem } = Storage.prototype;
    Storage.prototype.setItem = function (key: string, value: string) {
      setItem.call(this, key, value);
      if (key === 'gochat.account') location.reload();
    };
  });
  await page.getByRole('button', { name: 'Create account' }).click();
  await page.getByRole('navigation', { name: 'Main' }).waitFor();
  await page.getByRole('list', { name: 'Conversations' }).getByRole('link').first().waitFor();
  assert.equal(await page.getByRole('button', { name: 'Sign in' }).count(), 0);
  await noFaults(desk);
});

test('an account is made on the spot, a wrong password is told, and a reload keeps one signed in', async () => {
  const desk = await newDesk();
  const { page } = desk;
  const username = uniqueName('new');
  await page.goto('/');
  await page.getByRole('textbox', { name: 'Username' }).fill(username);
  await page.getByRole('textbox', { name: 'Password' }).fill('correct horse battery');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('alert').filter({ hasText: /\w/ }).waitFor();
  await page.getByRole('button', { name: 'Create account' }).click();
  await page.getByRole('navigation', { name: 'Main' }).waitFor();
  await page.reload();
  await page.getByRole('link', { name: 'Chats' }).waitFor();
  assert.equal(await page.getByRole('button', { name: 'Sign in' }).count(), 0);
  assert.doesNotMatch(await page.evaluate(() => JSON.stringify(localStorage)), /ey[A-Za-z0-9]|accessToken/);

  const guest = await newDesk();
  await guest.page.goto('/');
  await guest.page.getByRole('button', { name: 'Continue as guest' }).click();
  await guest.page.getByRole('navigation', { name: 'Main' }).waitFor();
  await noFaults(desk, guest);
});
