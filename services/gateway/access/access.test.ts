import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccessToken } from '../../../lib/tokens.ts';
import { createAccess } from './access.ts';

const token: AccessToken = {
  userId: '7',
  sessionId: 'revoked',
  isGuest: false,
  expiresAt: Date.now() + 60_000,
};

test('a gateway that does not know the revoked sessions yet takes no access token', async () => {
  let complete = false;
  const access = createAccess(
    { verify: async () => token },
    { has: () => false, isComplete: () => complete },
  );
  await assert.rejects(access.check('token'), { code: 'UNAVAILABLE' });
  complete = true;
  assert.deepEqual(await access.check('token'), token);
});
