import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { log, messageOf, newUser, noFaults, open, say } from '../support/browser/browser.ts';
import { befriend, newPerson } from '../support/people/people.ts';

const fieldOf = (page: Page) => page.getByRole('textbox', { name: 'Message', exact: true });

/** Somebody in a browser, with the conversation with a friend open. */
async function atDesk() {
  const [ann, bob] = await Promise.all([newUser('ann'), newPerson('bob')]);
  const id = await befriend(ann.person, bob);
  await open(ann.page, id);
  return { ann, bob, id, page: ann.page };
}

test('a draft survives a reload in the moment of the last key, and what was sent does not come back', async () => {
  const { ann, page } = await atDesk();
  /** Writes, and leaves the page before anything else can run. */
  const writeAndReload = (text: string) =>
    Promise.all([
      page.waitForEvent('load'),
      page.evaluate((written) => {
        const field = document.querySelector('textarea');
        const { set } = Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, 'value') ?? {};
        if (field) set?.call(field, written);
        field?.dispatchEvent(new Event('input', { bubbles: true }));
        location.reload();
      }, text),
    ]);
  await writeAndReload('half a sent');
  await page.waitForFunction(() => document.querySelector('textarea')?.value === 'half a sent');
  await writeAndReload('');
  await fieldOf(page).waitFor();
  assert.equal(await fieldOf(page).inputValue(), '');
  await noFaults(ann);
});

test('a browser that goes offline says so at once, and what is written then waits', async () => {
  const { ann, bob, id, page } = await atDesk();
  await say(page, 'before');
  await messageOf(page, 'before').getByText('Sent').waitFor();
  await ann.context.setOffline(true);
  await page
    .getByRole('status')
    .filter({ hasText: /offline|Connecting/ })
    .waitFor({ timeout: 3_000 });
  await say(page, 'written offline');
  await messageOf(page, 'written offline').getByText('Sending').waitFor();
  const { messages } = await bob.rest.get<{ messages: unknown[] }>(`/conversations/${id}/messages`);
  assert.equal(messages.length, 1);
  await ann.context.setOffline(false);
  await messageOf(page, 'written offline').getByText('Sent').waitFor();
});

test('Enter sends while suggestions are open, unless an arrow key has chosen one; Shift-Enter breaks the line', async () => {
  const { ann, bob, page } = await atDesk();
  const name = bob.user.username;
  const suggestions = page.getByRole('listbox', { name: 'Suggestions' });
  await fieldOf(page).pressSequentially(`@${name}`);
  await suggestions.waitFor();
  await page.keyboard.press('Shift+Enter');
  await page.keyboard.type('x');
  assert.equal(await fieldOf(page).inputValue(), `@${name}\nx`);
  await page.keyboard.press('Backspace');
  await page.keyboard.press('Backspace');
  await suggestions.waitFor();
  await page.keyboard.press('Enter');
  await messageOf(page, `@${name}`).waitFor();
  await fieldOf(page).pressSequentially(`@${name.slice(0, 4)}`);
  await suggestions.waitFor();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  assert.match(await fieldOf(page).inputValue(), /^@\S+ $/);
  assert.equal(await log(page).getByRole('article').count(), 1);
  await noFaults(ann);
});
