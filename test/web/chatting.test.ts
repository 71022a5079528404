import assert from 'node:assert/strict';
import { test } from 'node:test';
import { log, messageOf, newUser, noFaults, open, say } from '../support/browser/browser.ts';
import { befriend, type Person } from '../support/people/people.ts';

/** Two friends with the conversation open. */
async function twoPeople() {
  const [ann, bob] = await Promise.all([newUser('ann'), newUser('bob')]);
  const id = await befriend(ann.person, bob.person);
  await Promise.all([open(ann.page, id), open(bob.page, id)]);
  return { ann, bob, id };
}

/** Sends messages without a browser. */
async function fill(person: Person, id: string, count: number, text = 'message'): Promise<void> {
  for (let n = 1; n <= count; n += 1)
    await person.rest.post(`/conversations/${id}/messages`, {
      clientMsgId: `${text}-${n}`,
      content: `${text} ${n}`,
    });
}

test('a message is answered, reacted to, edited, pinned and recalled from its menu', async () => {
  const { ann, bob } = await twoPeople();
  await say(ann.page, 'First');
  const seen = log(bob.page).getByRole('article').first();
  await seen.hover();
  await seen.getByRole('menuitem', { name: 'Reply' }).click();
  await say(bob.page, 'Answer');
  await messageOf(ann.page, 'Answer').getByText('First').waitFor();

  await seen.focus();
  await bob.page.keyboard.press('ContextMenu');
  await bob.page.getByRole('menuitem', { name: 'React' }).click();
  await bob.page.getByRole('dialog', { name: 'Pick a reaction' }).getByRole('button', { name: '👍' }).click();
  await messageOf(ann.page, 'First').first().getByRole('button', { name: /👍 1/ }).waitFor();

  const own = log(ann.page).getByRole('article').first();
  await own.hover();
  await own.getByRole('button', { name: 'Message actions' }).click();
  await ann.page.getByRole('menuitem', { name: 'Edit' }).click();
  const field = ann.page.getByRole('textbox', { name: 'Edit message' });
  await field.fill('First, corrected');
  await field.press('Enter');
  await messageOf(bob.page, 'First, corrected').first().getByText('edited').waitFor();

  await own.click({ button: 'right' });
  await ann.page.getByRole('menuitem', { name: 'Recall' }).click();
  await ann.page.getByRole('dialog').getByRole('button', { name: 'Recall' }).click();
  await log(bob.page).getByText('This message was recalled.').first().waitFor();
  await noFaults(ann, bob);
});

test('ArrowUp edits the last message, and nothing is sent while an input method composes', async () => {
  const { ann, bob } = await twoPeople();
  const field = ann.page.getByRole('textbox', { name: 'Message', exact: true });
  await field.focus();
  const cdp = await ann.context.newCDPSession(ann.page);
  await cdp.send('Input.imeSetComposition', { text: 'ni', selectionStart: 2, selectionEnd: 2 });
  await ann.page.evaluate(() => {
    const pressed = { key: 'Enter', bubbles: true, isComposing: true, cancelable: true };
    document.activeElement?.dispatchEvent(new KeyboardEvent('keydown', pressed));
  });
  assert.equal(await log(ann.page).getByRole('article').count(), 0);
  await cdp.send('Input.insertText', { text: '你好' });
  await field.press('Enter');
  await messageOf(bob.page, '你好').waitFor();
  await field.press('ArrowUp');
  await ann.page.getByRole('textbox', { name: 'Edit message' }).fill('您好');
  await ann.page.keyboard.press('Enter');
  await messageOf(bob.page, '您好').waitFor();
});

test('history loads above without moving what is read', async () => {
  const [ann, bob] = await Promise.all([newUser('ann'), newUser('bob')]);
  const id = await befriend(ann.person, bob.person);
  await fill(ann.person, id, 320, 'line');
  await open(bob.page, id);
  // The first page that is shown is the last one; the mark of what is new lies above what is loaded.
  const list = log(bob.page);
  await list.getByRole('article').first().waitFor();
  await bob.page
    .getByRole('button', { name: 'Jump to latest' })
    .click({ timeout: 2000 })
    .catch(() => {});
  await messageOf(bob.page, 'line 320').waitFor();
  const moves = await list.evaluate(async (element) => {
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    const found: string[] = [];
    for (let n = 0; n < 400 && element.scrollTop > 0; n += 1) {
      const { top } = element.getBoundingClientRect();
      const all = [...element.querySelectorAll('article')];
      const shown = all.find((one) => one.getBoundingClientRect().top > top + 60);
      const before = shown?.getBoundingClientRect().top ?? 0;
      const from = element.scrollTop;
      element.scrollTop -= 90;
      const asked = from - element.scrollTop;
      await frame();
      await frame();
      const moved = (shown?.getBoundingClientRect().top ?? 0) - before;
      if (shown?.isConnected && Math.abs(moved - asked) > 1)
        found.push(`${moved} instead of ${asked} at ${from}`);
    }
    return found;
  });
  assert.deepEqual(moves, []);
  await messageOf(bob.page, 'line 1').first().waitFor();
  assert.ok((await list.getByRole('article').count()) < 200);
});

test('a draft and what is unread are there after a reload', async () => {
  const { ann, bob, id } = await twoPeople();
  await ann.page.getByRole('textbox', { name: 'Message', exact: true }).fill('not finished');
  await bob.page.getByRole('link', { name: 'People' }).click();
  await fill(ann.person, id, 3, 'new');
  await ann.page.reload();
  const field = ann.page.getByRole('textbox', { name: 'Message', exact: true });
  await field.waitFor();
  await ann.page.waitForFunction(() => document.querySelector('textarea')?.value === 'not finished');
  await bob.page.getByRole('link', { name: 'Chats' }).click();
  await bob.page.getByRole('link', { name: /3 unread/ }).click();
  await bob.page.getByRole('separator', { name: 'New messages' }).waitFor();
});

test('who reads the end keeps it when the field to write grows', async () => {
  const { ann, bob, id } = await twoPeople();
  await fill(bob.person, id, 40, 'row');
  await messageOf(ann.page, 'row 40').waitFor();
  const distance = () =>
    log(ann.page).evaluate((element) => element.scrollHeight - element.scrollTop - element.clientHeight);
  const before = await log(ann.page).evaluate((element) => element.clientHeight);
  await ann.page
    .getByRole('textbox', { name: 'Message', exact: true })
    .fill('one\ntwo\nthree\nfour\nfive\nsix');
  await ann.page.waitForFunction(
    (height) => (document.querySelector('[role=log]')?.clientHeight ?? height) < height - 60,
    before,
  );
  await ann.page.waitForFunction(() => {
    const element = document.querySelector('[role=log]');
    return element && element.scrollHeight - element.scrollTop - element.clientHeight < 2;
  });
  assert.ok((await distance()) < 2);
});
