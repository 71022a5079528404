import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { formats } from '../../validation/formats.ts';
import { describeFormats } from './formats.ts';

const ajv = new Ajv2020();

/** The check of a schema with this format, by the document's keywords. */
function documentedCheck(format: string) {
  const schema = describeFormats({ type: 'string', format });
  assert.notEqual(schema.format, format, 'the document uses common keywords only');
  return ajv.compile(schema);
}

test('the patterns of the document accept the same values as the checks', () => {
  const values: Record<string, string[]> = {
    username: ['ann', 'a.b-c_9', 'ab', 'x'.repeat(50), 'x'.repeat(51), 'a b', 'änn', 'ann\n'],
    'display-name': [
      ...['Ann', ' Ann ', ' ', '', '\u200b', 'a\u202eb', 'a\u0000', '\u3164', '😀', 'a b', 'a\nb'],
      ...[
        'x'.repeat(50),
        'x'.repeat(51),
        `${' '.repeat(1000)}${'x'.repeat(50)}`,
        '😀'.repeat(50),
        '😀'.repeat(51),
      ],
    ],
    'group-name': ['Climbing', '\u2003', 'x'.repeat(100), 'x'.repeat(101)],
    'picture-address': [
      ...[
        '',
        'https://a.example/b.png?c=d#e',
        'http://localhost:8080',
        'HTTPS://a.example',
        'ftp://a.example',
      ],
      ...[
        'https://a:b@c.example/',
        'https://a.example:99999/',
        'https://',
        'https://1.2.3.400/',
        ' https://a.b',
      ],
    ],
    'language-tag': ['', 'de', 'de-CH', 'zh-Hant-TW', 'es-419', 'x', 'deutsch-', 'de_CH', 'de-'],
  };
  for (const [format, candidates] of Object.entries(values)) {
    const documented = documentedCheck(format);
    for (const value of candidates) {
      assert.equal(documented(value), formats[format]?.(value), `${format}: ${JSON.stringify(value)}`);
    }
  }
});
