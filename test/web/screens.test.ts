import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { messageOf, newDesk, newUser, noFaults, open, say } from '../support/browser/browser.ts';
import { befriend, newPerson } from '../support/people/people.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Violation {
  id: string;
  impact: string;
  nodes: { html: string; failureSummary: string }[];
}

/** What axe finds that is serious or worse. */
async function faultsOf(page: Page): Promise<string[]> {
  // The page's policy keeps scripts out, but not those of the debugger.
  await page.evaluate(axe);
  const found = (await page.evaluate('axe.run()')) as { violations: Violation[] };
  return found.violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)} ${failureSummary}`),
    );
}

for (const colorScheme of ['light', 'dark'] as const) {
  test(`axe finds nothing serious on any screen (${colorScheme})`, async () => {
    const desk = await newDesk({ colorScheme });
    await desk.page.goto('/');
    await desk.page.getByRole('button', { name: 'Sign in' }).waitFor();
    assert.deepEqual(await faultsOf(desk.page), []);

    const [ann, bob, eve] = await Promise.all([
      newUser('ann', { colorScheme }),
      newPerson('bob'),
      newPerson('eve'),
    ]);
    const { page } = ann;
    const id = await befriend(ann.person, bob);
    await eve.rest.post('/friends/requests', { targetUserId: ann.person.id });
    const { conversation } = await ann.person.rest.post<{ conversation: { id: string } }>('/conversations', {
      type: 2,
      name: 'Group',
      memberIds: [bob.id],
    });
    await open(page, id);
    await say(page, 'Hello https://example.com');
    await messageOf(page, 'Hello').getByText('Sent').waitFor();
    await messageOf(page, 'Hello').hover();
    assert.deepEqual(await faultsOf(page), []);
    await messageOf(page, 'Hello').getByRole('menuitem', { name: 'React' }).click();
    await page.getByRole('dialog', { name: 'Pick a reaction' }).waitFor();
    assert.deepEqual(await faultsOf(page), []);
    await page.keyboard.press('Escape');
    await open(page, conversation.id);
    await page.getByRole('button', { name: 'Details' }).click();
    await page.getByRole('list', { name: 'Members' }).getByText(bob.user.username).first().waitFor();
    assert.deepEqual(await faultsOf(page), []);
    await page.goto('/#/people');
    await page.getByRole('button', { name: 'Accept' }).waitFor();
    assert.deepEqual(await faultsOf(page), []);
    await page.goto('/#/settings');
    await page.getByRole('list', { name: 'Devices' }).getByRole('listitem').first().waitFor();
    assert.deepEqual(await faultsOf(page), []);
    await noFaults(desk, ann);
  });
}

test('at 360 pixels one screen is shown at a time, and nothing is wider than the window', async () => {
  const ann = await newUser('ann', { viewport: { width: 360, height: 740 } });
  const bob = await newPerson('bob');
  const id = await befriend(ann.person, bob);
  const { page } = ann;
  const isTooWide = () => page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
  await page.goto('/#/');
  await page
    .getByRole('list', { name: 'Conversations' })
    .getByRole('link', { name: bob.user.username })
    .click();
  await say(page, 'averylongwordwithoutanyblank'.repeat(10));
  await messageOf(page, 'averylong').getByText('Sent').waitFor();
  assert.equal(await isTooWide(), false);
  await page.getByRole('button', { name: 'Back' }).click();
  await page.getByRole('link', { name: 'Settings' }).click();
  await page.getByRole('heading', { name: 'Settings' }).waitFor();
  assert.equal(await isTooWide(), false);
  await page.getByRole('link', { name: 'People' }).click();
  await page.getByRole('list', { name: 'Friends' }).getByText(bob.user.username).first().waitFor();
  assert.equal(await isTooWide(), false);
  await page.goBack();
  await page.getByRole('heading', { name: 'Settings' }).waitFor();
  assert.ok(id);
});

test('the language of the browser and a chosen one are spoken', async () => {
  const desk = await newDesk({ locale: 'zh-CN' });
  await desk.page.goto('/');
  await desk.page.getByRole('button', { name: '登录' }).waitFor();
  assert.equal(await desk.page.evaluate(() => document.documentElement.lang), 'zh-CN');

  const { page } = await newUser('ann');
  await page.getByRole('link', { name: 'Settings' }).click();
  await page.getByRole('combobox', { name: 'Language' }).selectOption({ label: '中文' });
  await page.getByRole('heading', { name: '设置' }).waitFor();
  await page.reload();
  await page.getByRole('heading', { name: '设置' }).waitFor();
});
