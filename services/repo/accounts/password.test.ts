import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codeOf } from '../../../lib/errors.ts';
import { createPasswords } from './password.ts';

const queueKey = { address: '192.0.2.1', account: 'ann' };

test('a password fits its own hash only', async () => {
  const passwords = createPasswords();
  const [first, second] = await Promise.all([
    passwords.hash('correct horse', queueKey),
    passwords.hash('correct horse', queueKey),
  ]);
  assert.match(first, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  assert.notEqual(first, second, 'each has a salt of its own');
  assert.equal(await passwords.verify('correct horse', first, queueKey), true);
  assert.equal(await passwords.verify('correct horse ', first, queueKey), false);
  assert.equal(await passwords.verify('', first, queueKey), false);
});

test('the same characters composed another way are the same password', async () => {
  const passwords = createPasswords();
  assert.equal(
    await passwords.verify(
      'Ame\u0301lie\u2460',
      await passwords.hash('Am\u00e9lie\u2460', queueKey),
      queueKey,
    ),
    true,
  );
});

test('no password matches a null hash', async () => {
  assert.equal(await createPasswords().verify('anything', null, queueKey), false);
});

test('a flood waits in a queue, and is refused once the queue is full', async () => {
  const passwords = createPasswords({ concurrency: 1, maxWaiting: 3 });
  const results = await Promise.allSettled(Array.from({ length: 8 }, () => passwords.hash('x', queueKey)));
  const refused = results.filter((result) => result.status === 'rejected');
  assert.ok(refused.length >= 4);
  assert.ok(refused.every(({ reason }) => codeOf(reason) === 'UNAVAILABLE'));
  assert.match(await passwords.hash('later', queueKey), /^\$argon2id/);
});
