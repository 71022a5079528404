import assert from 'node:assert/strict';
import { test } from 'node:test';
import { log, messageOf, newUser, noFaults, open } from '../support/browser/browser.ts';
import { befriend } from '../support/people/people.ts';

/** A picture of 2 × 2 pixels. */
const picture = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEElEQVR42mPgy04AIgYIBQAWggNlcgQJKAAAAABJRU5ErkJggg==',
  'base64',
);

test('files are sent by the picker, with a text, and a picture opens in full size', async () => {
  const [ann, bob] = await Promise.all([newUser('ann'), newUser('bob')]);
  const id = await befriend(ann.person, bob.person);
  await Promise.all([open(ann.page, id), open(bob.page, id)]);
  const chosen = ann.page.waitForEvent('filechooser');
  await ann.page.getByRole('button', { name: 'Attach files' }).click();
  await (await chosen).setFiles([
    { name: 'small.png', mimeType: 'image/png', buffer: picture },
    { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('Remember the milk') },
    { name: 'wrong.txt', mimeType: 'text/plain', buffer: Buffer.from('not this one') },
  ]);
  const attached = ann.page.getByRole('list', { name: 'Attachments' });
  await attached.getByRole('button', { name: 'Remove wrong.txt' }).click();
  await attached.getByRole('listitem').filter({ hasText: '17 B' }).waitFor();
  const field = ann.page.getByRole('textbox', { name: 'Message', exact: true });
  await field.fill('two files');
  await field.press('Enter');

  await messageOf(bob.page, 'two files').waitFor();
  await log(bob.page).getByRole('link', { name: 'Download notes.txt' }).waitFor();
  assert.equal(await log(bob.page).getByRole('article').count(), 3);
  await log(bob.page).getByRole('button', { name: 'Open small.png' }).click();
  const viewer = bob.page.getByRole('dialog');
  await bob.page.waitForFunction(
    () => document.querySelector<HTMLImageElement>('dialog img')?.naturalWidth === 2,
  );
  await bob.page.keyboard.press('Escape');
  await viewer.waitFor({ state: 'detached' });
  await noFaults(ann, bob);
});

test('a picture that is pasted is attached', async () => {
  const [ann, bob] = await Promise.all([newUser('ann'), newUser('bob')]);
  await open(ann.page, await befriend(ann.person, bob.person));
  const field = ann.page.getByRole('textbox', { name: 'Message', exact: true });
  await field.evaluate(
    (element, bytes) => {
      const clipboardData = new DataTransfer();
      clipboardData.items.add(new File([new Uint8Array(bytes)], 'pasted.png', { type: 'image/png' }));
      element.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
    },
    [...picture],
  );
  const attached = ann.page.getByRole('list', { name: 'Attachments' }).getByRole('listitem');
  await attached.filter({ hasText: 'pasted.png' }).waitFor();
  await ann.page.getByRole('button', { name: 'Send' }).click();
  await log(ann.page).getByRole('button', { name: 'Open pasted.png' }).waitFor();
  await noFaults(ann);
});
