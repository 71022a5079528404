import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readEmoji } from './emoji.ts';

test('a reaction is exactly one emoji, however many characters it consists of', () => {
  for (const one of ['👍', '👍🏽', '❤️', '🇨🇭', '👩‍👩‍👧', '🏴󠁧󠁢󠁳󠁣󠁴󠁿', '1️⃣', '👩🏻‍❤️‍💋‍👩🏿']) {
    assert.equal(readEmoji(one), one);
  }
  for (const other of [
    '',
    'a',
    '1',
    '#',
    '👍👍',
    '👍 ',
    ' 👍',
    '👍a',
    '🇨',
    '\u200d',
    'ok',
    '\ud83d',
    '👍'.repeat(1000),
  ]) {
    assert.equal(readEmoji(other), undefined, JSON.stringify(other));
  }
});

test('both spellings of an emoji are the same reaction', () => {
  assert.equal(readEmoji('❤'), '❤️');
  assert.equal(readEmoji('☺'), '☺️');
});
