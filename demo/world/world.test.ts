import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../lib/domain/limits.ts';
import { bytesOf } from './files.ts';
import { createWorld } from './world.ts';

const day = 24 * 3_600_000;
const sizes = [
  { users: 20, seed: 1 },
  { users: 50, seed: 1 },
  { users: 50, seed: 7 },
  { users: 500, seed: 3 },
];
const scripts = ['Latin', 'Han', 'Hiragana', 'Hangul', 'Cyrillic', 'Arabic', 'Devanagari'].map(
  (script) => new RegExp(`\\p{Script=${script}}`, 'u'),
);

test('the same seed makes the same world, and another seed another one', () => {
  const [size = { users: 20, seed: 1 }] = sizes;
  assert.deepEqual(createWorld(size), createWorld(size));
  assert.notDeepEqual(createWorld(size).chats, createWorld({ ...size, seed: 2 }).chats);
});

test('a file of the world is small, and the same every time', () => {
  const picture = { name: 'ridge.png', picture: 7 };
  const bytes = bytesOf(picture);
  assert.deepEqual(bytes.subarray(0, 8), Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'));
  assert.ok(bytes.length < 50_000);
  assert.deepEqual(bytesOf(picture), bytes);
  assert.notDeepEqual(bytesOf({ ...picture, picture: 8 }), bytes);
});

for (const size of sizes) {
  test(`a world of ${size.users} people (seed ${size.seed}) is as large as it should be, and within the limits`, () => {
    const { people, chats, groups, worldRoom } = createWorld(size);
    assert.equal(new Set(people.map(({ username }) => username)).size, size.users);
    for (const { username, displayName } of people) {
      assert.match(username, /^[A-Za-z0-9_.-]{3,50}$/);
      assert.ok([...displayName].length <= limits.displayName);
    }
    // Everybody is in the largest group, so each sees that much.
    const largest = groups.find(({ members }) => members.length === size.users - 1);
    const texts = largest?.messages.map(({ text }) => text) ?? [];
    assert.ok(texts.length >= 300);
    assert.ok((largest?.messages[0]?.age ?? 0) >= 60 * day);
    for (const script of scripts)
      assert.ok(
        texts.some((text) => script.test(text)),
        String(script),
      );
    const files = largest?.messages.flatMap(({ file = [] }) => file) ?? [];
    assert.deepEqual(new Set(files.map(({ name }) => name.split('.').at(-1))), new Set(['png', 'txt']));
    for (const { messages, reactions, reads } of [...chats, ...groups, worldRoom]) {
      assert.ok(messages.length > 0 && messages.length <= 1000, 'one call imports it');
      assert.deepEqual(
        messages.map(({ age }) => age),
        messages.map(({ age }) => age).toSorted((a, b) => b - a),
      );
      assert.ok(messages.every(({ age, text }) => age > 0 && text !== '' && !/[{}]/.test(text)));
      assert.ok(messages.every(({ replyTo = 0 }, index) => replyTo <= index));
      assert.ok(reactions.every(({ seqId }) => seqId >= 1 && seqId <= messages.length));
      assert.ok([...reads.values()].some((seqId) => seqId === messages.length));
    }
    assert.ok(
      [...chats, ...groups].some(({ reads, messages }) =>
        [...reads.values()].some((seqId) => seqId < messages.length),
      ),
      'something is unread',
    );
  });
}
