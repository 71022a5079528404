import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newDesk } from '../support/browser/browser.ts';
import { befriend, gatewayUrl, newPerson } from '../support/people/people.ts';

/** The step of these tests allows it. */
const shop = 'http://shop.example';

const pageOf = (id: string) => `<!doctype html><iframe id="chat" width="900" height="700"
  src="${gatewayUrl}/embed#theme=dark&lang=zh&conversation=${id}"></iframe>
<script>
  window.told = [];
  addEventListener('message', ({ data, source }) => {
    const { contentWindow } = document.getElementById('chat');
    if (source === contentWindow) window.told.push(data.type);
    if (data.type === 'gochat:ready') contentWindow.postMessage({ type: 'gochat:token', token: 'of-the-shop' }, '${gatewayUrl}');
  });
</script>`;

test('a page of an allowed origin shows the client, signed in by its own token', async () => {
  const [ann, bob] = await Promise.all([newPerson('ann'), newPerson('bob')]);
  const id = await befriend(ann, bob);
  const desk = await newDesk();
  const { context, page } = desk;
  const tokens: unknown[] = [];
  await context.route(`${shop}/`, (route) => route.fulfill({ contentType: 'text/html', body: pageOf(id) }));
  // An identity provider of the shop would stand behind this.
  await context.route('**/auth/exchange', (route) => {
    tokens.push(route.request().postDataJSON());
    const { user, accessToken, refreshToken, expiresIn, sessionId } = ann;
    return route.fulfill({ json: { user, accessToken, refreshToken, expiresIn, sessionId } });
  });
  await page.goto(`${shop}/`);
  const frame = page.frameLocator('#chat');
  await frame.getByRole('heading', { name: bob.user.username }).waitFor();
  await frame.getByRole('textbox', { name: '消息' }).fill('from the shop');
  await page.keyboard.press('Enter');
  await frame.getByRole('article').filter({ hasText: 'from the shop' }).getByText('已发送').waitFor();
  assert.deepEqual(tokens, [{ token: 'of-the-shop' }]);
  assert.deepEqual(await page.evaluate('window.told'), ['gochat:ready']);
  const theme = await frame.locator('html').getAttribute('data-theme');
  assert.equal(theme, 'dark');
});

test('a page of any other origin shows nothing of it', async () => {
  const { context, page } = await newDesk();
  const other = 'http://other.example';
  await context.route(`${other}/`, (route) => route.fulfill({ contentType: 'text/html', body: pageOf('1') }));
  const refused = page.waitForEvent('console', (message) => /frame-ancestors/.test(message.text()));
  await page.goto(`${other}/`);
  await refused;
  assert.deepEqual(await page.evaluate('window.told'), []);
});
