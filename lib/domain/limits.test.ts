import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { isLonger, limits } from './limits.ts';
import { accessTokenS } from './session-lifetimes.ts';

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
const count = (number: number) => number.toLocaleString('en-US');

test('the README has the current limits', () => {
  const section = readme.split(/^## /m).find((part) => part.startsWith('Limits')) ?? '';
  const { username, password, displayName, groupName, messageContent, groupMembers } = limits;
  for (const told of [
    `${username.shortest}–${username.longest}`,
    `${password.shortest}–${password.longest}`,
    `display names ${displayName} characters`,
    `group names ${groupName}`,
    `${count(messageContent)} characters`,
    `${count(groupMembers.usual)} members`,
  ]) {
    assert.ok(section.includes(told), told);
  }
});

test('the README has the settings whose defaults are the limits and lifetimes', () => {
  const { usual, most } = limits.groupMembers;
  const row = (name: string) => readme.split('\n').find((line) => line.startsWith(`| \`${name}\``)) ?? '';
  assert.match(row('GROUP_MAX_MEMBERS'), new RegExp(`\\| ${usual} \\| .*${count(most)}`));
  assert.match(row('ACCESS_TOKEN_TTL_S'), new RegExp(`\\b${accessTokenS.usual}\\b`));
});

test('the length of a text is its number of code points', () => {
  for (const character of ['x', 'ü', '😀']) {
    assert.equal(isLonger(character.repeat(4), 4), false, character);
    assert.equal(isLonger(character.repeat(5), 4), true, character);
  }
  assert.equal(isLonger('', 0), false);
  assert.equal(isLonger('xx😀😀', 4), false);
  assert.equal(isLonger('xx😀😀😀', 4), true);
  assert.equal(isLonger('x'.repeat(9), 4), true);
});
