import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { test } from 'node:test';
import type { User } from '../../../../lib/gen/im_repo/v1/user.ts';
import { createUserClosing } from '../../../../services/repo/accounts/user-closing.ts';
import { databaseTime } from '../../../../services/repo/storage/change-time.ts';
import { eventually } from '../../../support/eventually.ts';
import { refusal } from '../../../support/refused-with.ts';
import { openAccountsRepo, password, required } from '../../../support/repo/accounts-repo.ts';

const { parts, users, register, signIn, credentialOf, rotate, sessionsOf } = await openAccountsRepo();
const hash = (token: string): Buffer => createHash('sha256').update(token).digest();

/** Moves a session's rotations into the past. */
async function age(sessionId: string, ms: number): Promise<void> {
  const [row] = await parts.databases.users.query<{ rotated_at: string }>(
    'SELECT rotated_at FROM sessions WHERE id = ?',
    [sessionId],
  );
  const times = required(row)
    .rotated_at.split(',')
    .map((time) => Number(time) - ms);
  await parts.databases.users.execute('UPDATE sessions SET rotated_at = ? WHERE id = ?', [
    times.join(','),
    sessionId,
  ]);
}

test('a refresh starts the next token generation, and a repeat within 20 s gets the current one', async () => {
  const user = await register('gina');
  const session = await signIn(user);
  const answer = (generation: number) => ({ rotated: true, reused: false, user, generation });
  assert.deepEqual(await rotate(session, 0), answer(1));
  assert.deepEqual(await rotate(session, 0), answer(1));
  assert.deepEqual(await rotate(session, 1), answer(2));
  assert.deepEqual(await rotate(session, 0), answer(2), 'each generation has its own 20 s');
  await age(session, 19_000);
  assert.deepEqual(await rotate(session, 2), answer(3));
  await age(session, 1500);
  assert.deepEqual(await rotate(session, 2), answer(3));
  assert.deepEqual(await rotate(session, 1), { rotated: false, reused: true, generation: 0 });
});

test('an older refresh token ends its session, and the revocation is listed until its access tokens expire', async () => {
  const user = await register('henry');
  const since = Date.now() - 1;
  const [session, other] = [await signIn(user), await signIn(user)];
  await rotate(session, 0);
  await age(session, 20_500);
  assert.deepEqual(await rotate(session, 0), { rotated: false, reused: true, generation: 0 });
  assert.deepEqual(await rotate(session, 1), { rotated: false, reused: false, generation: 0 });
  const named = { since, afterSessionId: '' };
  const { sessions, nextSince } = await users.listRevokedSessions(named);
  const told = required(sessions.find(({ id }) => id === session));
  assert.ok(
    Math.abs(told.accessExpiresAt - Date.now() - 60_000) < 5000,
    'the first access token outlives the one of the refresh',
  );
  assert.ok(!sessions.some(({ id }) => id === other));
  assert.ok(nextSince < Date.now() - 1000, 'a commit in flight is not missed');
  assert.deepEqual(await sessionsOf(user), [other]);

  await parts.databases.users.execute('UPDATE sessions SET access_expires_at = ? WHERE id = ?', [
    Date.now() - 1,
    session,
  ]);
  const later = await users.listRevokedSessions(named);
  assert.ok(!later.sessions.some(({ id }) => id === session));
});

test('revoked sessions are listed in pages, however many end in the same millisecond', async () => {
  const count = 10_003;
  const revokedAt = Date.now() - 60_000;
  const rows = Array.from({ length: count }, () => [
    randomUUID(),
    1,
    '',
    '',
    1,
    1,
    1,
    revokedAt,
    Date.now() + 60_000,
  ]);
  await parts.databases.users.execute(
    `INSERT INTO sessions (id, user_id, user_agent, address, created_at, last_used_at, expires_at, revoked_at, access_expires_at)
     VALUES ?`,
    [rows],
  );
  const told = new Set<string>();
  let position = { since: revokedAt, afterSessionId: '' };
  for (let more = true; more; ) {
    const page = await users.listRevokedSessions(position);
    for (const { id } of page.sessions) told.add(id);
    position = { since: page.nextSince, afterSessionId: page.nextAfterSessionId };
    more = page.more;
  }
  assert.ok(rows.every(([id]) => told.has(String(id))));
});

test('concurrent refreshes with the same token start one generation, and all get its token', async () => {
  const user = await register('iris');
  const session = await signIn(user);
  const results = await Promise.all(Array.from({ length: 8 }, () => rotate(session, 0)));
  assert.deepEqual(new Set(results.map(({ generation }) => generation)), new Set([1]));
  assert.deepEqual(await sessionsOf(user), [session]);
});

test('a client that refreshes too often gets the same token for a while, and is not signed out', async () => {
  const user = await register('ines');
  const session = await signIn(user);
  let generation = 0;
  for (let i = 0; i < 20; i++) generation = (await rotate(session, generation)).generation;
  assert.equal(generation, 16);
  assert.deepEqual(await rotate(session, 0), { rotated: true, reused: false, user, generation: 16 });
  await age(session, 21_000);
  assert.equal((await rotate(session, 16)).generation, 17);
});

test('an account has at most 100 sessions: one more ends the least recently used one', async () => {
  const user = await register('ingo');
  const credential = await credentialOf(user);
  const opened: string[] = [];
  for (let i = 0; i < 100; i++) opened.push(await signIn(user, 60_000, credential));
  const [first = '', second = ''] = opened;
  await rotate(first, 0);
  const openOnes = async () => {
    const rows = await parts.databases.users.query<{ id: string }>(
      'SELECT id FROM sessions WHERE user_id = ? AND revoked_at IS NULL',
      [Number(user.id)],
    );
    return new Set(rows.map(({ id }) => id));
  };
  assert.equal((await openOnes()).size, 100);
  const last = await signIn(user, 60_000, credential);
  const open = await openOnes();
  assert.deepEqual([open.size, open.has(first), open.has(second), open.has(last)], [100, true, false, true]);
  const { sessions } = await users.listRevokedSessions({ since: Date.now() - 5000, afterSessionId: '' });
  assert.ok(
    sessions.some(({ id }) => id === second),
    'gateways are told',
  );
  const plan = await parts.databases.users.query<{ key: string }>(
    `EXPLAIN FORMAT=TRADITIONAL SELECT id FROM sessions WHERE user_id = ? AND revoked_at IS NULL ORDER BY last_used_at DESC LIMIT 100, 20`,
    [Number(user.id)],
  );
  assert.deepEqual(
    plan.map(({ key }) => key),
    ['sessions_user_used'],
  );
});

test('the time of a revocation is that of its commit, so that a gateway that asked meanwhile does not miss it', async () => {
  const { databases } = parts;
  const closing = createUserClosing(parts);
  const ends: Record<string, (user: User, session: string) => Promise<unknown>> = {
    reuse: (_, session) => rotate(session, 0),
    'a new password': ({ id }) =>
      users.changePassword({
        userId: id,
        oldPassword: password,
        newPassword: `${password} new`,
        keepSessionId: '',
      }),
    erasure: ({ id }) => closing.closeAccount({ userId: id, idleGuestBefore: 0 }),
  };
  for (const [index, [what, end]] of Object.entries(ends).entries()) {
    const user = await register(`late-${index}`);
    const session = await signIn(user);
    await rotate(session, 0);
    await age(session, 20_500);
    const { ended, releasedAt } = await databases.users.transaction(async (tx) => {
      await tx.query('SELECT id FROM sessions WHERE id = ? FOR UPDATE', [session]);
      const ended = end(user, session);
      await eventually(async () => {
        const waiting = await databases.users.query(
          `SELECT 1 FROM information_schema.processlist
           WHERE db = DATABASE() AND id <> CONNECTION_ID() AND info LIKE '%sessions%' AND command = 'Query'`,
        );
        return waiting.length > 0;
      });
      const [row] = await tx.query<{ time: number }>(`SELECT ${databaseTime} AS time`);
      return { ended, releasedAt: required(row).time };
    });
    await ended;
    const [row] = await databases.users.query<{ revoked_at: number }>(
      'SELECT revoked_at FROM sessions WHERE id = ?',
      [session],
    );
    assert.ok(required(row).revoked_at >= releasedAt, what);
  }
});

test('a token from before tokens were derived is the first of its session', async () => {
  const user = await register('ivan');
  const session = await signIn(user);
  await parts.databases.users.execute('UPDATE sessions SET refresh_token_hash = ? WHERE id = ?', [
    hash('stored'),
    session,
  ]);
  assert.equal((await rotate(session, 0, hash('stored'))).generation, 1);
  assert.equal((await rotate(session, 0, hash('stored'))).generation, 1);
  assert.equal((await rotate(session, 1)).generation, 2);
  assert.deepEqual(await rotate(session, 0, hash('older')), { rotated: false, reused: true, generation: 0 });
});

test('a token that is newer than the stored generation is accepted, as after restoring a backup', async () => {
  const user = await register('olga');
  const session = await signIn(user);
  assert.equal((await rotate(session, 4)).generation, 5);
  assert.equal((await rotate(session, 5)).generation, 6);
});

test('an expired session does not rotate', async () => {
  const user = await register('jack');
  const session = await signIn(user, -1);
  assert.deepEqual(await rotate(session, 0), { rotated: false, reused: false, generation: 0 });
  assert.deepEqual(await sessionsOf(user), []);
  assert.deepEqual(await rotate(randomUUID(), 0), { rotated: false, reused: false, generation: 0 });
});

test('a session is revoked by its own user only, once', async () => {
  const [user, other] = [await register('kate'), await register('liam')];
  const session = await signIn(user);
  assert.deepEqual(await users.revokeSession({ userId: other.id, sessionId: session }), { revoked: false });
  assert.deepEqual(await users.revokeSession({ userId: user.id, sessionId: session }), { revoked: true });
  assert.deepEqual(await users.revokeSession({ userId: user.id, sessionId: session }), { revoked: false });
  for (const sessionId of ['é', '😀', '', 'x'.repeat(400), 'a\u0000b']) {
    assert.deepEqual(
      await users.revokeSession({ userId: user.id, sessionId }),
      { revoked: false },
      sessionId,
    );
  }
});

test('opening the same session again answers the same, and another one under its id is refused', async () => {
  const user = await register('mona');
  const request = {
    userId: user.id,
    sessionId: randomUUID(),
    credential: await credentialOf(user),
    expiresAt: Date.now() + 60_000,
    accessExpiresAt: Date.now() + 60_000,
    userAgent: '',
    address: '',
  };
  await users.createSession(request);
  await users.createSession(request);
  await assert.rejects(users.createSession({ ...request, expiresAt: request.expiresAt + 1 }));
  await assert.rejects(
    users.createSession({ ...request, userId: '99', sessionId: randomUUID() }),
    refusal('USER_NOT_FOUND'),
  );
});
