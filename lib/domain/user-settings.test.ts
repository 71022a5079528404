import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalLocale, seesPresence } from './user-settings.ts';

test('a language tag is stored in its canonical form, and an invalid one is refused', () => {
  assert.equal(canonicalLocale('de'), 'de');
  assert.equal(canonicalLocale('EN-us'), 'en-US');
  assert.equal(canonicalLocale('zh-hant-TW'), 'zh-Hant-TW');
  for (const wrong of [
    '',
    'en_US',
    'english language',
    '-',
    'x',
    `en-${'abcdefgh-'.repeat(10)}abc`,
    'de\0',
  ]) {
    assert.equal(canonicalLocale(wrong), undefined, JSON.stringify(wrong));
  }
});

test('presence is seen by everyone, by friends or by nobody', () => {
  const seen = ['everyone', 'friends', 'nobody'].map((lastSeen) => [
    seesPresence(lastSeen, true),
    seesPresence(lastSeen, false),
  ]);
  assert.deepEqual(seen, [
    [true, true],
    [true, false],
    [false, false],
  ]);
});
