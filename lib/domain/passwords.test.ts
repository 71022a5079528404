import assert from 'node:assert/strict';
import { test } from 'node:test';
import { passwordRefusal } from './passwords.ts';

test('a password is neither common nor the username, whatever the case', () => {
  for (const password of [
    'password',
    'PassWord',
    '12345678',
    'qwertyuiop',
    'ｐａｓｓｗｏｒｄ',
    'password123',
  ]) {
    assert.match(passwordRefusal(password, 'ann') ?? '', /many people use/, password);
  }
  assert.match(passwordRefusal('Ann-Margret-1', 'ann-margret-1') ?? '', /username/);
  assert.equal(passwordRefusal('correct horse battery', 'ann'), undefined);
});

test('a password has 8 to 128 code points of well-formed Unicode', () => {
  assert.equal(passwordRefusal('😀'.repeat(8), 'ann'), undefined);
  assert.equal(passwordRefusal('ä'.repeat(128), 'ann'), undefined);
  for (const password of ['', 'short', '😀'.repeat(7), 'ä'.repeat(129), `long enough \ud800`]) {
    assert.ok(passwordRefusal(password, 'ann'), password);
  }
});
