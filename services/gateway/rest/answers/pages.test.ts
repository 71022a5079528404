import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GoChatError } from '../../../../lib/errors.ts';
import { bearer, testApp } from '../../../../test/support/gateway/gateway-app.ts';

const emptyPage = { conversations: [], messages: [], hasMore: false, unchanged: false };

/** A logic with one page, which it omits if the caller knows its tag. */
async function appWithPage(page: { tag: string; hasMore: boolean }) {
  const answerPage = ({ knownTag }: { knownTag: string }) =>
    knownTag === page.tag
      ? { ...emptyPage, tag: page.tag, unchanged: true }
      : { ...emptyPage, ...page, unchanged: false };
  const { app, calls } = await testApp({
    'conversations.getConversationsOptimized': answerPage,
    'conversations.getMessages': answerPage,
  });
  const get = async (url: string, headers: Record<string, string> = {}) => {
    const answer = await app.inject({ method: 'GET', url, headers: { ...bearer, ...headers } });
    const { knownTag } = (calls.at(-1)?.request ?? {}) as { knownTag?: string };
    return {
      status: answer.statusCode,
      etag: String(answer.headers.etag),
      headers: answer.headers,
      text: answer.body,
      knownTag,
    };
  };
  return { get };
}

for (const url of ['/conversations', '/conversations/7/messages']) {
  test(`${url}: an unchanged page is answered from the cache`, async () => {
    const page = { tag: 'first', hasMore: true };
    const { get } = await appWithPage(page);
    const first = await get(url);
    assert.deepEqual([first.status, JSON.parse(first.text).hasMore, first.knownTag], [200, true, '']);
    const second = await get(url);
    assert.deepEqual([second.status, second.text, second.knownTag], [200, first.text, 'first']);
    assert.match(String(second.headers['content-type']), /^application\/json/);
    page.tag = 'second';
    page.hasMore = false;
    const third = await get(url);
    assert.deepEqual([third.status, JSON.parse(third.text).hasMore], [200, false]);
    assert.deepEqual([(await get(url)).text], [third.text]);
  });

  test(`${url}: a client that sends the page's ETag gets 304`, async () => {
    const page = { tag: 'first', hasMore: true };
    const { get } = await appWithPage(page);
    const { etag, headers } = await get(url);
    assert.equal(etag, 'W/"first"');
    assert.equal(headers['cache-control'], 'private, no-cache');
    for (const named of [etag, '"first"', `"other", ${etag}`]) {
      const again = await get(url, { 'if-none-match': named });
      assert.deepEqual([again.status, again.text, again.etag], [304, '', etag], named);
    }
    page.tag = 'second';
    const changed = await get(url, { 'if-none-match': etag });
    assert.deepEqual([changed.status, changed.etag], [200, 'W/"second"']);
  });

  test(`${url}: a gateway without the page in its cache uses the ETag of the client`, async () => {
    const { get } = await appWithPage({ tag: 'first', hasMore: true });
    const held = await get(url, { 'if-none-match': 'W/"first"' });
    assert.deepEqual([held.status, held.knownTag], [304, 'first']);
    assert.equal(JSON.parse((await get(url)).text).hasMore, true);
  });
}

for (const [url, method] of [
  ['/conversations', 'getConversationsOptimized'],
  ['/conversations/7/messages', 'getMessages'],
]) {
  test(`${url}: a page that logic has serialised is answered as it is`, async () => {
    const text = '{"of":"logic","and":"nobody else"}';
    const { app, calls } = await testApp({
      [`conversations.${method}`]: ({ knownTag }: { knownTag: string }) =>
        knownTag === 'first'
          ? { ...emptyPage, tag: 'first', unchanged: true }
          : { ...emptyPage, tag: 'first', json: Buffer.from(text) },
    });
    for (const _ of ['written by logic', 'kept here']) {
      const answer = await app.inject({ method: 'GET', url, headers: bearer });
      assert.deepEqual([answer.statusCode, answer.body, answer.headers.etag], [200, text, 'W/"first"']);
      assert.match(String(answer.headers['content-type']), /^application\/json/);
    }
    assert.deepEqual(
      calls.map(({ request }) => (request as { asJson?: boolean }).asJson),
      [true, true],
    );
  });
}

test('pages with other bounds are cached separately', async () => {
  const { get } = await appWithPage({ tag: 'first', hasMore: true });
  await get('/conversations/7/messages?beforeSeq=5');
  for (const query of ['', '?beforeSeq=6', '?afterSeq=5', '?beforeSeq=5&limit=2']) {
    assert.equal((await get(`/conversations/7/messages${query}`)).knownTag, '', query);
  }
  assert.equal((await get('/conversations/8/messages?beforeSeq=5')).knownTag, '');
  assert.equal((await get('/conversations/7/messages?beforeSeq=5')).knownTag, 'first');
});

test('a refusal by logic is answered even if the page is cached', async () => {
  let member = true;
  const { app } = await testApp({
    'conversations.getMessages': () => {
      if (!member) throw new GoChatError('NOT_CONVERSATION_MEMBER', 'You are not a member.');
      return { ...emptyPage, tag: 'first' };
    },
  });
  const get = (headers: Record<string, string>) =>
    app.inject({ method: 'GET', url: '/conversations/7/messages', headers: { ...bearer, ...headers } });
  const { headers } = await get({});
  member = false;
  const refused = await get({ 'if-none-match': String(headers.etag) });
  assert.deepEqual([refused.statusCode, refused.json().code], [403, 'NOT_CONVERSATION_MEMBER']);
  assert.equal(refused.headers['cache-control'], 'no-store');
});
