import assert from 'node:assert/strict';
import { test } from 'node:test';
import { messageType } from '../../../lib/domain/enumerations.ts';
import { searchedText } from './searched-text.ts';

const ofFile = (content: string) => searchedText({ messageType: messageType.file, content });

test('the name of a file is located in its own field, wherever else its letters occur', () => {
  const file = JSON.stringify({
    url: 'https://files.example/report',
    more: { name: 'report' },
    name: 'report',
    key: 'report',
  });
  assert.deepEqual(ofFile(file), { text: 'report', start: file.indexOf('"name":"report","key"') + 8 });
  const short = JSON.stringify({ size: 3, mime: 'name', name: 'e', url: 'name' });
  assert.deepEqual(ofFile(short), { text: 'e', start: short.indexOf('"e"') + 1 });
});

test('as for JSON.parse, the last of two names counts, and keys may have escapes', () => {
  const twice = '{"name": "a", "n\\u0061me" : "b"}';
  assert.deepEqual(ofFile(twice), { text: 'b', start: twice.indexOf('"b"') + 1 });
});

test('a name that is written with escapes, or is none, has no place', () => {
  assert.deepEqual(ofFile('{"url":"a\\"b","name":"a\\"b"}'), { text: 'a"b', start: undefined });
  for (const content of ['', 'name', '[]', '{"name":7}', '{"name":""}', '{"name":"x"'])
    assert.deepEqual(ofFile(content), { text: '', start: undefined }, content);
});
