import assert from 'node:assert/strict';
import { test } from 'node:test';
import { log, messageOf, newUser, noFaults, open, say } from '../support/browser/browser.ts';
import { befriend, newPerson } from '../support/people/people.ts';

test('text never becomes a page: no script runs, and only harmless addresses are links', async () => {
  const [ann, bob] = await Promise.all([newUser('ann'), newPerson('bob')]);
  const id = await befriend(ann.person, bob);
  const { page } = ann;
  await open(page, id);
  const texts = [
    '<script>window.harm = 1</script><img src=x onerror="window.harm = 2">',
    'javascript:window.harm=3 and data:text/html,<script>window.harm=4</script> and https://example.com/a?b=<c>',
    `${'long '.repeat(799)}end!`,
    'مرحبا ‮gnihtemos‬ [x](javascript:alert(1))',
  ];
  for (const [n, content] of texts.entries())
    await bob.rest.post(`/conversations/${id}/messages`, { clientMsgId: `h${n}`, content });
  await bob.rest.put('/users/profile', { avatarUrl: 'http://example.com/tracker.png' });
  await messageOf(page, '<script>window.harm = 1</script>').waitFor();
  await messageOf(page, 'gnihtemos').waitFor();
  const links = await log(page)
    .getByRole('link')
    .evaluateAll((all) => all.map((one) => (one as HTMLAnchorElement).href));
  assert.deepEqual(
    links.filter((href) => !href.startsWith('https://example.com/')),
    [],
  );
  const rel = await log(page).getByRole('link').first().getAttribute('rel');
  assert.match(rel ?? '', /noopener/);
  assert.equal(await page.evaluate('window.harm'), undefined);
  assert.equal(await messageOf(page, 'long long').count(), 1);
  await page.goto('/#/people');
  await page.getByRole('list', { name: 'Friends' }).getByText(bob.user.username).first().waitFor();
  await noFaults(ann);
});

test('a message that is refused says why, and can be tried again or discarded', async () => {
  const [ann, bob] = await Promise.all([newUser('ann'), newPerson('bob')]);
  const id = await befriend(ann.person, bob);
  const { page } = ann;
  await open(page, id);
  await bob.rest.put(`/blocks/${ann.person.id}`);
  await say(page, 'are you there?');
  const failed = messageOf(page, 'are you there?');
  await failed.getByText('Not sent').waitFor();
  await failed.getByRole('button', { name: 'Try again' }).click();
  await failed.getByText('Not sent').waitFor();
  await failed.getByRole('button', { name: 'Discard' }).click();
  await failed.waitFor({ state: 'detached' });
  await noFaults(ann);
});
