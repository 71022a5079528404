import assert from 'node:assert/strict';
import { test } from 'node:test';
import { messageOf, newUser, noFaults, open } from '../support/browser/browser.ts';
import { befriend, newPerson } from '../support/people/people.ts';

test('a search by Ctrl K finds a message and leads to it, with the keyboard alone', async () => {
  const [ann, bob] = await Promise.all([newUser('ann'), newPerson('bob')]);
  const id = await befriend(ann.person, bob);
  const { page } = ann;
  for (let n = 1; n <= 120; n += 1) {
    const content = n === 7 ? 'the pelican <b>landed</b> 昨天晚上' : `filler ${n}`;
    await bob.rest.post(`/conversations/${id}/messages`, { clientMsgId: `f${n}`, content });
  }
  await page.getByRole('list', { name: 'Conversations' }).waitFor();
  await page.keyboard.press('Control+k');
  const dialog = page.getByRole('dialog', { name: 'Search' });
  const field = dialog.getByRole('searchbox', { name: 'Search messages' });
  const found = dialog.getByRole('link', { name: /pelican/ });
  for (let tries = 0; tries < 40 && (await found.count()) === 0; tries += 1) {
    await field.fill('');
    await field.fill(tries % 2 === 0 ? 'pelic' : 'pelican');
    await found.waitFor({ timeout: 1000 }).catch(() => {});
  }
  assert.equal(
    await dialog.locator('mark').first().textContent(),
    'pelican'.slice(0, (await field.inputValue()).length),
  );
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await messageOf(page, 'pelican').waitFor();
  await page.waitForURL(new RegExp(`#/c/${id}\\?seq=7$`));
  await open(page, id);
  await noFaults(ann);
});
