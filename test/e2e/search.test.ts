import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Message } from '../../clients/sdk/rest.ts';
import { eventually } from '../support/eventually.ts';
import {
  type Data,
  newFriends,
  newGroup,
  newPeople,
  newPerson,
  type Person,
  refused,
  uniqueName,
} from '../support/people/people.ts';

/** How soon after its acknowledgement a message is found. */
const foundWithinMs = 2000;

const say = async (person: Person, conversationId: string, content: string): Promise<Message> => {
  const { message } = await person.rest.post<{ message: Message }>(
    `/conversations/${conversationId}/messages`,
    {
      clientMsgId: uniqueName('m'),
      content,
    },
  );
  return message;
};

const search = (person: Person, query: Record<string, string | number>): Promise<Data> =>
  person.rest.get<Data>(
    `/search/messages?${Object.entries(query)
      .map(([key, value]) => `${key}=${encodeURIComponent(value)}`)
      .join('&')}`,
  );

const contents = async (person: Person, q: string): Promise<string[]> =>
  (await search(person, { q })).results.map(({ message }: Data) => message.content);

test('a message is found soon after its acknowledgement, with highlights, as it is now', async () => {
  const { ann, bob, conversationId } = await newFriends();
  const word = uniqueName('word').replaceAll('-', '');
  const sent = await say(ann, conversationId, `Where is my ${word.toUpperCase()}? 我们去公园`);
  await eventually(async () => (await contents(bob, word)).length === 1, foundWithinMs);
  const { results, nextCursor } = await search(bob, { q: `my ${word.slice(0, -1)}` });
  assert.deepEqual(results, [
    {
      message: sent,
      conversationName: ann.user.displayName,
      highlights: [
        [9, 2],
        [12, word.length - 1],
      ],
    },
  ]);
  assert.equal(nextCursor, undefined);
  assert.equal((await search(bob, { q: '公园', conversationId })).results.length, 1);

  const path = `/conversations/${conversationId}/messages/${sent.id}`;
  await ann.rest.patch(path, { content: `Found my ${word}s` });
  assert.deepEqual(await contents(ann, `found ${word}`), [`Found my ${word}s`]);
  assert.deepEqual(await contents(ann, `where ${word}`), []);
  await ann.rest.delete(path);
  assert.deepEqual(await contents(ann, word), []);
});

test('pages follow each other by cursor, and only members find what is said in a group', async () => {
  const [ann, bob, eve] = (await newPeople(3)) as [Person, Person, Person];
  const id = await newGroup(ann, [bob], 'Searchers');
  const word = uniqueName('word').replaceAll('-', '');
  for (let n = 1; n <= 5; n += 1) await say(ann, id, `${word} ${n}`);
  await eventually(async () => (await contents(bob, word)).length === 5, foundWithinMs);
  const first = await search(bob, { q: word, limit: 3 });
  const second = await search(bob, { q: word, limit: 3, cursor: first.nextCursor });
  assert.deepEqual(
    [...first.results, ...second.results].map(({ message }: Data) => message.seqId),
    [5, 4, 3, 2, 1],
  );
  assert.equal(first.results[0].conversationName, 'Searchers');
  assert.equal(second.nextCursor, undefined);
  assert.deepEqual(await contents(eve, word), []);
  await refused(search(eve, { q: word, conversationId: id }), 403, 'NOT_CONVERSATION_MEMBER');
  await ann.rest.delete(`/conversations/${id}/members/${bob.id}`);
  assert.deepEqual(await contents(bob, word), []);
});

test('a query that is too long or empty, and wrong parameters, are refused; signs find nothing', async () => {
  const ann = await newPerson();
  const wrong: Record<string, string | number>[] = [
    {},
    { q: '' },
    { q: 'x'.repeat(101) },
    { q: 'x', limit: 0 },
    { q: 'x', limit: 201 },
    { q: 'x', limit: '1e2' },
    { q: 'x', before: -1 },
    { q: 'x', after: 'now' },
    { q: 'x', cursor: 'x' },
  ];
  for (const query of wrong) await refused(search(ann, query), 400, 'INVALID_ARGUMENT');
  await refused(search(ann, { q: 'x', conversationId: '7' }), 404, 'CONVERSATION_NOT_FOUND');
  await refused(search(ann, { q: 'x', conversationId: 'y' }), 404, 'CONVERSATION_NOT_FOUND');
  for (const q of ['天', '?!', '👍', ' ']) assert.deepEqual(await search(ann, { q }), { results: [] });
});
