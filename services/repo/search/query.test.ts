import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fold, foldText } from './fold.ts';
import { match, parseQuery } from './query.ts';
import { maxTermBytes, termsOf } from './terms.ts';

/** What of a text a query finds. */
function found(query: string, text: string): string[] | undefined {
  const parsed = parseQuery(query);
  return parsed && match(parsed, text)?.map(([start, length]) => text.slice(start, start + length));
}

/** Whether the index would name the text for the query. */
function isCandidate(query: string, text: string): boolean {
  const parsed = parseQuery(query);
  if (!parsed) return false;
  const terms = termsOf(text);
  const { termPrefix } = parsed;
  return (
    parsed.terms.every((term) => terms.has(term)) &&
    (termPrefix === undefined || [...terms].some((term) => term.startsWith(termPrefix)))
  );
}

/** Texts of many scripts, with marks, wide and composed characters. */
const texts = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        'Hello',
        'WORLD',
        'Straße',
        'ΟΔΟΣ',
        'café',
        'cafe\u0301',
        'ＡＢＣ',
        'ﬁne',
        'ﾊﾟﾋﾟ',
        'İzmir',
      ),
      fc.constantFrom(
        '日本語',
        '你好世界',
        'ภาษาไทย',
        '안녕하세요',
        'ひらがな',
        'ｶﾀｶﾅ',
        '𠮷野家',
        'নমস্কার',
        'שלום',
      ),
      fc.constantFrom(' ', ', ', '!', '👩‍👩‍👧', '\n', '\u00AD', '_', '-', '1️⃣'),
      fc.string({ unit: 'grapheme', maxLength: 6 }),
    ),
    { maxLength: 8 },
  )
  .map((parts) => parts.join(''));

test('every word must occur, in any order and case; the last one may be the beginning of a word', () => {
  assert.deepEqual(found('hello wor', 'World, HELLO!'), ['Wor', 'HELLO']);
  assert.equal(found('hell world', 'hello world'), undefined);
  assert.equal(found('hello word', 'hello world'), undefined);
  assert.deepEqual(found('42', 'room 42b and 421'), ['42', '42']);
  assert.equal(found('orld', 'hello world'), undefined);
});

test('Chinese, Japanese, Korean and Thai are found by any two neighbouring characters', () => {
  assert.deepEqual(found('天气', '今天天气很好'), ['天气']);
  assert.deepEqual(found('語で', 'これは日本語です'), ['語で']);
  assert.deepEqual(found('국어', '한국어를 배워요'), ['국어']);
  assert.deepEqual(found('สดี', 'สวัสดีครับ'), ['สดี']);
  assert.deepEqual(found('野家', '𠮷野家'), ['野家']);
  assert.equal(found('天好', '今天天气很好'), undefined);
  assert.deepEqual(found('2024年', '2024年计划'), ['2024年']);
  assert.equal(found('24年', '2024年计划'), undefined);
  // All pairs of neighbours occur, and still it is no part of the text.
  assert.equal(found('ababa'.replaceAll('a', '天').replaceAll('b', '气'), '天气天'), undefined);
});

test('a single such character, or signs only, find nothing; beside other words the character must occur', () => {
  for (const query of ['天', 'ก', '한', '!?', ' ', '👍', '天 气', '天!'])
    assert.equal(parseQuery(query), undefined, query);
  assert.deepEqual(found('天 hello', 'hello 天'), ['hello', '天']);
  assert.equal(found('天 hello', 'hello'), undefined);
});

test('case, width and composition do not matter, and highlights lie in the original text', () => {
  assert.deepEqual(found('abc', 'so ＡＢＣ'), ['ＡＢＣ']);
  assert.deepEqual(found('パピ', 'x ﾊﾟﾋﾟ'), ['ﾊﾟﾋﾟ']);
  assert.deepEqual(found('cafe\u0301', 'a CAFÉ'), ['CAFÉ']);
  assert.deepEqual(found('strasse', 'Die Straße'), ['Straße']);
  assert.deepEqual(found('οδος', 'ΟΔΟΣ'), ['ΟΔΟΣ']);
  assert.deepEqual(found('istanbul', 'İSTANBUL'), ['İSTANBUL']);
  assert.deepEqual(found('fine', 'ﬁne'), ['ﬁne']);
  assert.deepEqual(found('cooperate', 'co\u00ADoperate'), ['co\u00ADoperate']);
  assert.deepEqual(found('cooperate', 'co\u200Boperate'), ['co\u200Boperate']);
  // With and without the selectors of variants: an emoji's, and a character's of old names.
  assert.deepEqual(found('abc', 'ab\uFE0Fc'), ['ab\uFE0Fc']);
  assert.deepEqual(found('葛城', '葛\u{E0100}城市'), ['葛\u{E0100}城']);
  assert.deepEqual(found('葛\u{E0100}城', '葛城市'), ['葛城']);
});

test('a word longer than a term is found, and one that only begins the same is not', () => {
  const long = 'x'.repeat(60);
  assert.ok(
    [...termsOf(`${long} ${'ü'.repeat(50)} 𠮷野家`)].every((term) => Buffer.byteLength(term) <= maxTermBytes),
  );
  assert.ok(isCandidate(`${long} a`, `${long} a`));
  assert.deepEqual(found(`${long} a`, `${long} a`)?.length, 2);
  assert.ok(isCandidate(`${long}y a`, `${long}z a`));
  assert.equal(found(`${long}y a`, `${long}z a`), undefined);
});

test('folding a folded text changes nothing, and each part has its origin', () => {
  fc.assert(
    fc.property(texts, (text) => {
      const folded = fold(text);
      assert.equal(folded.text, foldText(text));
      let at = 0;
      for (let end = 1; end <= folded.text.length; end += 1) {
        const origin = folded.origin(end - 1, end);
        assert.ok(origin.start >= at && origin.end > origin.start && origin.end <= text.length);
        at = origin.start;
      }
    }),
  );
});

test('whatever a text contains is found in it, and the index names it', () => {
  fc.assert(
    fc.property(texts, texts, texts, (before, part, after) => {
      // Neighbours must not join the words of the part with theirs.
      const text = `${before} ${part} ${after}`;
      if (parseQuery(part) === undefined) return;
      const highlights = found(part, text);
      assert.ok(highlights && highlights.length > 0, `${JSON.stringify(part)} in ${JSON.stringify(text)}`);
      assert.ok(isCandidate(part, text));
    }),
    { numRuns: 500 },
  );
});

test('what matches is always named by the index, and highlights are in order, apart and inside', () => {
  fc.assert(
    fc.property(texts, texts, (query, text) => {
      const parsed = parseQuery(query);
      const highlights = parsed && match(parsed, text);
      if (!highlights) return;
      assert.ok(isCandidate(query, text));
      let end = -1;
      for (const [start, length] of highlights) {
        assert.ok(start > end && length > 0 && start + length <= text.length);
        end = start + length;
      }
    }),
    { numRuns: 500 },
  );
});

test('a long hostile text costs little', () => {
  const hostile = [
    'a'.repeat(8000),
    'a\u0301'.repeat(4000),
    '天'.repeat(4000),
    'a天'.repeat(2000),
    '\u0301'.repeat(4000),
  ];
  for (const text of hostile) {
    // The time of this thread alone, so that a busy machine does not count.
    const started = process.threadCpuUsage();
    termsOf(text);
    for (const query of ['a', '天天', 'a 天天', `${'天'.repeat(100)}`]) found(query, text);
    const { user, system } = process.threadCpuUsage(started);
    const ms = (user + system) / 1000;
    assert.ok(ms < 200, `${text.slice(0, 3)}: ${ms} ms`);
  }
});
