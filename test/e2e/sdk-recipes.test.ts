import assert from 'node:assert/strict';
import { stripTypeScriptTypes } from 'node:module';
import { test } from 'node:test';
import { createCall, createClient, GoChatError } from '@gochat/sdk';
import { indexedDb } from '@gochat/sdk/indexeddb';
import { indexedDB } from 'fake-indexeddb';
import { exampleOf, recipes } from '../../clients/sdk/build/readme.ts';
import { eventually } from '../support/eventually.ts';
import { gatewayUrl, newFriends, password } from '../support/people/people.ts';

/** What recipes find around them. */
const names = [
  'chat',
  'id',
  'show',
  'url',
  'username',
  'password',
  'createClient',
  'GoChatError',
  'indexedDb',
];
const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor as new (
  ...code: string[]
) => (...values: unknown[]) => Promise<void>;

for (const recipe of recipes) {
  test(`the ${recipe} of the SDK's README runs as it stands`, async (t) => {
    const { ann, conversationId } = await newFriends();
    const { username } = ann.user;
    const chat = createClient({ url: gatewayUrl, credentials: { username, password }, storage: undefined });
    t.after(() => chat.disconnect());
    await chat.connect();
    const shown: string[] = [];
    const show = (text: string) => shown.push(text);
    // In a block, where it may use the names that it is given for something else.
    const run = new AsyncFunction(...names, `{${stripTypeScriptTypes(exampleOf(recipe))}}`);
    if (recipe === 'recipe search') {
      await chat.conversation(conversationId).send({ text: 'Picnic on Saturday?' }).stored;
      const found = async () => (await chat.search({ text: 'picnic', conversationId })).results.length > 0;
      await eventually(found, 15_000, 100);
    }
    Object.assign(globalThis, { indexedDB });
    await run(
      chat,
      conversationId,
      show,
      gatewayUrl,
      username,
      password,
      createClient,
      GoChatError,
      indexedDb,
    );
    Object.assign(globalThis, { indexedDB: undefined });
    if (recipe === 'recipe drafts') {
      assert.deepEqual(shown, ['I think that']);
      const { messages, draft } = chat.conversation(conversationId).get();
      assert.deepEqual([messages.at(-1)?.content, draft], ['I think that', '']);
    }
    if (recipe === 'recipe files') assert.deepEqual(shown.slice(-1), ['note.txt']);
    if (recipe === 'recipe search') assert.deepEqual(shown.slice(-1), ['1 found']);
    await chat.disconnect();
    if (recipe === 'recipe offline') assert.deepEqual(shown, ['Connecting …']);
  });
}

test("the calls in the SDK's README run as they stand", async () => {
  const said: string[] = [];
  const code = stripTypeScriptTypes(exampleOf('calls')).replace(/^import .*$/m, '');
  const run = new AsyncFunction('createCall', 'createClient', 'console', code);
  await run(createCall, createClient, { log: (text: string) => said.push(text) });
  await eventually(() => said.length === 1);
  assert.deepEqual(said, ['signed in on 1 device']);
});
