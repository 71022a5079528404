import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readLogicConfig } from './config.ts';

const read = (env: Record<string, string>) => readLogicConfig({ AUTH_PRIVATE_KEY_FILE: 'key.pem', ...env });

test('an access token lives for a second at least and a day at most', () => {
  assert.equal(read({}).ACCESS_TOKEN_TTL_S, 900);
  for (const seconds of ['1', '86400'])
    assert.equal(read({ ACCESS_TOKEN_TTL_S: seconds }).ACCESS_TOKEN_TTL_S, Number(seconds));
  for (const seconds of ['0', '86401', '-1', 'an hour']) {
    assert.throws(() => read({ ACCESS_TOKEN_TTL_S: seconds }), /^Error: configuration: ACCESS_TOKEN_TTL_S /);
  }
});

test('a session that would end before its access tokens is refused at the start', () => {
  assert.throws(() => read({ REFRESH_TOKEN_TTL_MS: '899999' }), /REFRESH_TOKEN_TTL_MS must not be less/);
  read({ REFRESH_TOKEN_TTL_MS: '899999', ACCESS_TOKEN_TTL_S: '899' });
});
