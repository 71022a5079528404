import assert from 'node:assert/strict';
import { test } from 'node:test';
import { log, messageOf, newUser, noFaults, open, say } from '../support/browser/browser.ts';
import { befriend, newPerson } from '../support/people/people.ts';

test('a reload without network shows what was there, and sends what is written once the network is back', async () => {
  const ann = await newUser('ann');
  const bob = await newPerson('bob');
  const id = await befriend(ann.person, bob);
  const { page, context } = ann;
  await open(page, id);
  await say(page, 'before');
  await messageOf(page, 'before').getByText('Sent').waitFor();
  await page.evaluate(() => navigator.serviceWorker.ready);
  // The page that installs the worker is not loaded through it.
  await page.reload();
  await messageOf(page, 'before').waitFor();

  await context.setOffline(true);
  await page.reload();
  await messageOf(page, 'before').waitFor();
  await page
    .getByRole('status')
    .filter({ hasText: /offline|Connecting/ })
    .waitFor();
  await say(page, 'written offline');
  await messageOf(page, 'written offline').getByText('Sending').waitFor();
  await context.setOffline(false);
  await messageOf(page, 'written offline').getByText('Sent').waitFor();
  const { messages } = await bob.rest.get<{ messages: { content: string }[] }>(
    `/conversations/${id}/messages`,
  );
  assert.deepEqual(
    messages.map(({ content }) => content),
    ['before', 'written offline'],
  );
});

test('two tabs are one client: both show everything once, and either may be closed', async () => {
  const ann = await newUser('ann');
  const bob = await newPerson('bob');
  const id = await befriend(ann.person, bob);
  const first = ann.page;
  await open(first, id);
  const second = await ann.context.newPage();
  await open(second, id);
  await say(first, 'from the first tab');
  await messageOf(second, 'from the first tab').getByText('Sent').waitFor();
  await say(second, 'from the second tab');
  await messageOf(first, 'from the second tab').getByText('Sent').waitFor();
  await first.close();
  await bob.rest.post(`/conversations/${id}/messages`, {
    clientMsgId: 'b1',
    content: 'to the tab that is left',
  });
  await messageOf(second, 'to the tab that is left').waitFor();
  assert.equal(await log(second).getByRole('article').count(), 3);
  await noFaults(ann);
});

test('signing out in one tab signs out the other, and nothing stays on the device', async () => {
  const ann = await newUser('ann');
  const second = await ann.context.newPage();
  await second.goto('/#/settings');
  await second.getByRole('button', { name: 'Sign out', exact: true }).last().click();
  await second.getByRole('button', { name: 'Sign in' }).waitFor();
  await ann.page.getByRole('button', { name: 'Sign in' }).waitFor();
  const kept = await second.evaluate(async () => ({
    account: localStorage.getItem('gochat.account'),
    databases: (await indexedDB.databases()).length,
  }));
  assert.equal(kept.account, null);
});
