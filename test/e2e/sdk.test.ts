import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type Client, createClient, type Message } from '@gochat/sdk';
import { fileStorage } from '@gochat/sdk/file';
import { memoryStorage } from '@gochat/sdk/memory';
import { exampleOf } from '../../clients/sdk/build/readme.ts';
import { eventually } from '../support/eventually.ts';
import {
  gatewayUrl,
  newFriends,
  newGroup,
  newPerson,
  type Person,
  password,
} from '../support/people/people.ts';

const clients: Client[] = [];
// Also those of a test that failed: the process would not end.
after(() => stop(...clients));

/** A client of a person who has registered, and the messages that it was told. */
function clientOf(person: Pick<Person, 'user'>, options: Partial<Parameters<typeof createClient>[0]> = {}) {
  const client = createClient({
    url: gatewayUrl,
    credentials: { username: person.user.username, password },
    ...options,
  });
  clients.push(client);
  const told: Message[] = [];
  client.on('message', (message) => told.push(message));
  return { client, told };
}

const texts = (messages: readonly { content: string }[]) => messages.map(({ content }) => content);
const stop = (...clients: Client[]) => Promise.all(clients.map((client) => client.disconnect()));

test('two people talk: each sees what both wrote, the other is told once, and unread is counted and read', async () => {
  const { ann, bob, conversationId } = await newFriends();
  const [a, b] = [clientOf(ann), clientOf(bob)];
  await Promise.all([a.client.connect(), b.client.connect()]);
  assert.deepEqual(
    a.client.conversations
      .get()
      .map(({ conversation }) => conversation.id)
      .includes(conversationId),
    true,
  );
  assert.equal(a.client.me.get()?.id, ann.id);

  const fromAnn = a.client.conversation(conversationId);
  const fromBob = b.client.conversation(conversationId);
  const sent = fromAnn.send({ text: 'hello' });
  assert.deepEqual(texts(fromAnn.get().messages), ['hello'], 'shown at once');
  await sent.saved;
  const stored = await sent.stored;
  assert.equal(stored.seqId, 1);
  assert.deepEqual(sent.get(), { status: 'sent', message: stored });
  await eventually(() => b.told.length === 1);
  assert.equal(fromBob.get().unreadCount, 1);
  assert.equal(fromBob.get().firstUnreadSeq, 1);
  fromBob.markRead();
  assert.equal(fromBob.get().unreadCount, 0);
  await eventually(() => fromAnn.get().reads[bob.id] === 1);

  await fromBob.send({ text: 'hello yourself', replyTo: stored }).stored;
  await eventually(() => a.told.length === 1);
  assert.deepEqual(texts(fromAnn.get().messages), ['hello', 'hello yourself']);
  assert.deepEqual(fromAnn.get().messages, fromBob.get().messages);
  assert.deepEqual([texts(a.told), texts(b.told)], [['hello yourself'], ['hello']]);
  await stop(a.client, b.client);
});

test('what was written while a client was away is told once when it returns, and not again after a restart', async () => {
  const { ann, bob, conversationId } = await newFriends();
  const folder = mkdtempSync(join(tmpdir(), 'gochat-sdk-'));
  const say = (text: string) =>
    ann.rest.post(`/conversations/${conversationId}/messages`, { clientMsgId: text, content: text });
  await say('before the first start');
  const run = async (work: (one: ReturnType<typeof clientOf>) => Promise<void>) => {
    const one = clientOf(bob, { storage: fileStorage(join(folder, 'bob')) });
    await one.client.connect();
    await work(one);
    await one.client.disconnect();
    return texts(one.told);
  };
  assert.deepEqual(await run(async () => {}), [], 'history is not told');
  for (const text of ['one', 'two', 'three']) await say(text);
  assert.deepEqual(await run(async () => {}), ['one', 'two', 'three']);
  const again = await run(async ({ client }) => {
    const { messages } = client.conversation(conversationId).get();
    assert.deepEqual(texts(messages), ['before the first start', 'one', 'two', 'three']);
  });
  assert.deepEqual(again, []);
  rmSync(folder, { recursive: true });
});

test('a group appears for all, takes in newcomers with its history, and goes from those who are removed', async () => {
  const [ann, bob, cid] = await Promise.all([newPerson('ann'), newPerson('bob'), newPerson('cid')]);
  const { client, told } = clientOf(bob);
  const removed: string[] = [];
  client.on('conversation-removed', ({ conversationId }) => removed.push(conversationId));
  await client.connect();
  const groupId = await newGroup(ann, [cid], 'climbing');
  await ann.rest.post(`/conversations/${groupId}/messages`, { clientMsgId: 'a', content: 'old' });
  await ann.rest.post(`/conversations/${groupId}/members`, { userIds: [bob.id] });
  const room = client.conversation(groupId);
  await eventually(() => room.get().conversation?.name === 'climbing');
  await ann.rest.post(`/conversations/${groupId}/messages`, { clientMsgId: 'b', content: 'new' });
  await eventually(() => told.length > 0);
  assert.deepEqual(texts(told), ['new']);
  await room.loadOlder();
  assert.deepEqual(texts(room.get().messages), ['old', 'new']);
  await ann.rest.delete(`/conversations/${groupId}/members/${bob.id}`);
  await eventually(() => removed.includes(groupId));
  assert.equal(room.get().conversation, undefined);
  await stop(client);
});

test('a message that the server refuses fails and waits for a decision; the next one goes on', async () => {
  const { ann, bob, conversationId } = await newFriends();
  const { client } = clientOf(ann, { storage: memoryStorage() });
  await client.connect();
  const room = client.conversation(conversationId);
  const tooLong = room.send({ text: 'x'.repeat(4001) });
  const next = room.send({ text: 'short' });
  await assert.rejects(tooLong.stored, { code: 'MESSAGE_TOO_LARGE', retryable: false });
  await next.stored;
  assert.equal(tooLong.get().status, 'failed');
  assert.deepEqual(
    room.get().messages.map(({ content, status }) => [content.length, status]),
    [
      [5, undefined],
      [4001, 'failed'],
    ],
  );
  tooLong.discard();
  assert.deepEqual(texts(room.get().messages), ['short']);
  await ann.rest.delete(`/friends/${bob.id}`);
  await assert.rejects(room.send({ text: 'still there?' }).stored, { code: 'NOT_FRIENDS' });
  await stop(client);
});

test('the bot of the README answers', async (t) => {
  const { ann, bob, conversationId } = await newFriends();
  // Node runs no TypeScript inside of node_modules, and the package is found from inside of the repository only.
  const home = join(import.meta.dirname, '../../.gochat');
  mkdirSync(home, { recursive: true });
  const folder = mkdtempSync(join(home, 'sdk-bot-'));
  const file = join(folder, 'bot.ts');
  writeFileSync(file, exampleOf('bot'));
  const env = {
    ...process.env,
    GATEWAY_URL: gatewayUrl,
    BOT_NAME: bob.user.username,
    BOT_PASSWORD: password,
  };
  const bot = spawn(process.execPath, [file], { env, stdio: 'inherit' });
  t.after(() => bot.kill());
  const { client, told } = clientOf(ann);
  await client.connect();
  await eventually(async () => (await client.friends.list()).some(({ online }) => online), 15_000, 100);
  await client.conversation(conversationId).send({ text: 'hello' }).stored;
  await eventually(() => told.length === 1);
  assert.deepEqual(texts(told), ['You said: hello']);
  bot.kill();
  await Promise.all([once(bot, 'exit'), stop(client)]);
  rmSync(folder, { recursive: true });
});
