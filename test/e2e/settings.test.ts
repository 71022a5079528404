import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UserSettings } from '../../lib/wire/user-settings.ts';
import { newPerson, refused } from '../support/people.ts';

test('settings begin with the defaults, and a change is answered and kept', async () => {
  const ann = await newPerson('ann');
  const read = () => ann.rest.get<UserSettings>('/users/settings');
  assert.deepEqual(await read(), { groupInvites: 'everyone', lastSeen: 'friends', readReceipts: true });
  const chosen = { groupInvites: 'friends', lastSeen: 'nobody', readReceipts: false, locale: 'de-CH' };
  assert.deepEqual(await ann.rest.put('/users/settings', chosen), chosen);
  assert.deepEqual(await read(), chosen);
  const later = await ann.rest.put<UserSettings>('/users/settings', {
    lastSeen: 'everyone',
    locale: 'EN-us',
  });
  assert.deepEqual(later, { ...chosen, lastSeen: 'everyone', locale: 'en-US' });
  const { locale, ...rest } = later;
  assert.deepEqual(await ann.rest.put('/users/settings', { locale: '' }), rest);
  assert.deepEqual(await read(), rest);
});

test('a wrong choice is refused with the field named, and changes nothing', async () => {
  const ann = await newPerson('ann');
  const wrong: [string, unknown][] = [
    ['groupInvites', 'nobody'],
    ['groupInvites', 1],
    ['lastSeen', 'Everyone'],
    ['lastSeen', null],
    ['readReceipts', 'true'],
    ['readReceipts', 0],
    ['locale', 'en_US'],
    ['locale', 'not a language'],
    ['locale', 'x'.repeat(1000)],
    ['locale', null],
  ];
  for (const [field, value] of wrong) {
    const body = { readReceipts: false, [field]: value };
    const error = await refused(ann.rest.put('/users/settings', body), 400, 'INVALID_ARGUMENT');
    assert.ok(
      error.errors.some(({ path }) => path.includes(field)),
      JSON.stringify([value, error.errors]),
    );
  }
  await refused(ann.rest.call('PUT', '/users/settings', { body: [] }), 400, 'INVALID_ARGUMENT');
  const { readReceipts } = await ann.rest.get<UserSettings>('/users/settings');
  assert.equal(readReceipts, true);
});
