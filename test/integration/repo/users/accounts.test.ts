import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { codeOf } from '../../../../lib/errors.ts';
import type { User } from '../../../../lib/gen/im_repo/v1/user.ts';
import { createUserClosing } from '../../../../services/repo/accounts/user-closing.ts';
import { databaseTime } from '../../../../services/repo/storage/change-time.ts';
import { eventually } from '../../../support/eventually.ts';
import { openRepoParts } from '../../../support/repo/open-repo.ts';
import { createUserParts } from '../../../support/repo/user-parts.ts';

const { parts } = await openRepoParts();
const users = createUserParts(parts);

const refusal = (code: string) => (error: unknown) => codeOf(error) === code;
const password = 'correct horse battery';
/** What a guest signs in with. */
const credentialOfNobody = createHash('sha256').update('').digest();
const hash = (token: string): Buffer => createHash('sha256').update(token).digest();

function must<T>(value: T | undefined): T {
  assert.ok(value !== undefined);
  return value;
}

async function register(username: string): Promise<User> {
  return must((await users.createUser({ username, password, avatarUrl: '', isGuest: false })).user);
}

async function guest(): Promise<User> {
  return must((await users.createUser({ username: '', password: '', avatarUrl: '', isGuest: true })).user);
}

/** Opens a session as somebody whose password was just found right. */
async function signIn(user: User, ttlMs = 60_000, known?: Buffer): Promise<string> {
  const credential = known ?? (await credentialOf(user));
  const sessionId = randomUUID();
  const expiresAt = Date.now() + ttlMs;
  await users.createSession({
    userId: user.id,
    sessionId,
    credential,
    expiresAt,
    accessExpiresAt: expiresAt,
    userAgent: 'test',
    address: '127.0.0.1',
  });
  return sessionId;
}

async function credentialOf({ username }: User): Promise<Buffer> {
  const { valid, credential } = await users.verifyPassword({ username, password });
  assert.ok(valid);
  return credential;
}

const rotate = (
  sessionId: string,
  presentedGeneration: number,
  presentedTokenHash: Buffer = Buffer.alloc(0),
) =>
  users.rotateSession({
    sessionId,
    presentedGeneration,
    presentedTokenHash,
    expiresAt: Date.now() + 60_000,
    accessExpiresAt: Date.now() + 30_000,
  });

/** Moves a session's rotations into the past. */
async function age(sessionId: string, ms: number): Promise<void> {
  const [row] = await parts.databases.users.query<{ rotated_at: string }>(
    'SELECT rotated_at FROM sessions WHERE id = ?',
    [sessionId],
  );
  const times = must(row)
    .rotated_at.split(',')
    .map((time) => Number(time) - ms);
  await parts.databases.users.execute('UPDATE sessions SET rotated_at = ? WHERE id = ?', [
    times.join(','),
    sessionId,
  ]);
}

const sessionsOf = async ({ id }: User) =>
  (await users.listSessions({ userId: id })).sessions.map((s) => s.id);

test('a new account is a member of the world room, with nothing unread', async () => {
  const { databases } = parts;
  await databases.users.execute('UPDATE conversation_heads SET last_seq_id = 41 WHERE conversation_id = 1');
  const user = await register('Alice_1');
  assert.equal(user.username, 'Alice_1');
  assert.equal(user.displayName, 'Alice_1');
  assert.equal(user.isGuest, false);
  const [pointer] = await databases.users.query(
    'SELECT last_read_seq_id AS seq FROM user_read_pointers WHERE user_id = ?',
    [Number(user.id)],
  );
  assert.deepEqual(pointer, { seq: 41 });
  const [member] = await databases.users.query(
    'SELECT conversation_id AS id, role FROM conversation_members WHERE user_id = ?',
    [Number(user.id)],
  );
  assert.deepEqual(member, { id: 1, role: 1 });
  const [told] = (await parts.events()).filter((event) => event.user_id === user.id);
  assert.equal(told?.type, 'user.created');
});

test('the world room counts everyone, however many come at once', async () => {
  const count = async () =>
    (
      await parts.databases.users.query<{ n: number; v: number }>(
        'SELECT c.member_count AS n, h.member_version AS v FROM conversations c JOIN conversation_heads h ON h.conversation_id = c.id WHERE c.id = 1',
      )
    )[0];
  const before = must(await count());
  await Promise.all(Array.from({ length: 20 }, guest));
  assert.deepEqual(await count(), { n: before.n + 20, v: before.v + 20 });
});

test('a name belongs to one account, whatever its case, and of many who want it one gets it', async () => {
  const results = await Promise.allSettled(['carol', 'Carol', 'CAROL', 'carol'].map(register));
  assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
  for (const result of results) {
    if (result.status === 'rejected') assert.equal(codeOf(result.reason), 'USERNAME_TAKEN');
  }
  const [{ n }] = (await parts.databases.users.query(
    "SELECT COUNT(*) AS n FROM conversation_members m JOIN users u ON u.id = m.user_id WHERE u.username = 'carol'",
  )) as [{ n: number }];
  assert.equal(n, 1, 'who was refused left nothing behind');
});

test('guests get names of their own and no password', async () => {
  const [first, second] = await Promise.all([guest(), guest()]);
  assert.match(must(first).username, /^guest-[a-z2-9]{8}$/);
  assert.notEqual(must(first).username, must(second).username);
  assert.equal(must(first).isGuest, true);
  assert.deepEqual(await users.verifyPassword({ username: must(first).username, password: '' }), {
    valid: false,
    credential: Buffer.alloc(0),
    withoutPassword: false,
  });
  const asked = { username: '', userId: must(first).id, password: '' };
  assert.equal((await users.verifyPassword(asked)).withoutPassword, true);
});

test('only the right password of an existing account is valid', async () => {
  const dave = await register('dave');
  const { credential, ...right } = await users.verifyPassword({ username: 'DAVE', password });
  assert.deepEqual([right, credential.length], [{ valid: true, user: dave, withoutPassword: false }, 32]);
  const byId = { username: '', userId: dave.id };
  assert.equal((await users.verifyPassword({ ...byId, password })).valid, true);
  assert.equal((await users.verifyPassword({ ...byId, password: 'wrong' })).valid, false);
  for (const [username, tried] of [
    ['dave', 'wrong'],
    ['nobody-has-this', password],
    ['dave ', password],
    ["dave' OR '1'='1", password],
    ['дейв', password],
    ['', password],
  ] as const) {
    assert.equal((await users.verifyPassword({ username, password: tried })).valid, false, username);
  }
});

test('an account is known at the addresses from where it signed in during 30 days, and by its /64', async () => {
  const petra = await register('Petra');
  const credential = await credentialOf(petra);
  const known = (address: string, username = 'PETRA') =>
    users.getSignInAccount({ username, userId: '', address });
  assert.deepEqual(await known('2001:db8::1'), { userId: petra.id, knownAddress: false });
  await users.createSession({
    userId: petra.id,
    sessionId: randomUUID(),
    credential,
    expiresAt: Date.now() + 60_000,
    accessExpiresAt: Date.now() + 60_000,
    userAgent: '',
    address: '2001:db8::1',
  });
  assert.deepEqual(await known('2001:db8::2'), { userId: petra.id, knownAddress: true });
  assert.deepEqual(await users.getSignInAccount({ username: '', userId: petra.id, address: '2001:db8::3' }), {
    userId: petra.id,
    knownAddress: true,
  });
  assert.equal((await known('2001:db8:1::2')).knownAddress, false);
  assert.deepEqual(await known('2001:db8::1', 'nobody-has-this'), { userId: '', knownAddress: false });
  await parts.databases.users.execute('UPDATE sign_in_addresses SET last_sign_in_at = ? WHERE user_id = ?', [
    Date.now() - 30 * 24 * 3_600_000 - 1000,
    Number(petra.id),
  ]);
  assert.equal((await known('2001:db8::2')).knownAddress, false);
});

test('users are read in the order asked, and whoever is missing is left out', async () => {
  const [a, b] = [await register('order-a'), await register('order-b')];
  const { users: found } = await users.getUsers({ userIds: [b.id, '99', 'abc', a.id] });
  assert.deepEqual(found, [b, a]);
  assert.deepEqual((await users.getUserByUsername({ username: 'ORDER-a' })).user, a);
  for (const missing of ['99', 'abc', '', "1' OR 1"]) {
    await assert.rejects(users.getUser({ userId: missing }), refusal('USER_NOT_FOUND'));
    await assert.rejects(users.getUserByUsername({ username: missing }), refusal('USER_NOT_FOUND'));
  }
});

test('search answers the exact name, then beginnings, then whatever contains it, and takes no wildcards', async () => {
  for (const name of ['john', 'johnny', 'a.john', 'john_x', 'johnax', 'big-john']) await register(name);
  const search = async (query: string, limit = 20) =>
    (await users.searchUsersByUsername({ query, limit })).users.map(({ username }) => username);
  assert.deepEqual(await search('JOHN'), ['john', 'johnax', 'johnny', 'john_x', 'a.john', 'big-john']);
  assert.deepEqual(await search('john', 2), ['john', 'johnax']);
  assert.deepEqual(await search('john', 5), ['john', 'johnax', 'johnny', 'john_x', 'a.john']);
  assert.deepEqual(await search('hn_x'), ['john_x']);
  for (const query of ['%', 'jo%', '\\', "'; --", 'жон', '😀', 'john ', ''])
    assert.deepEqual(await search(query), [], query);
});

test('a changed profile is seen by the next read and told', async () => {
  const erin = await register('erin');
  await users.getUser({ userId: erin.id });
  const name = "Érin 😀 % _ \\ '";
  const { user } = await users.updateUser({ userId: erin.id, displayName: name });
  assert.deepEqual(user, { ...erin, displayName: name });
  assert.deepEqual((await users.getUser({ userId: erin.id })).user, user);
  const { user: pictured } = await users.updateUser({ userId: erin.id, avatarUrl: '/files/1' });
  assert.deepEqual(pictured, { ...erin, displayName: name, avatarUrl: '/files/1' });
  const told = (await parts.events()).filter(
    (event) => event.user_id === erin.id && event.type === 'user.updated',
  );
  assert.equal(told.length, 2);
  await assert.rejects(users.updateUser({ userId: '99', displayName: 'x' }), refusal('USER_NOT_FOUND'));
  await assert.rejects(
    users.updateUser({ userId: erin.id, displayName: 'x'.repeat(101) }),
    refusal('INVALID_ARGUMENT'),
  );
});

test('a new password takes the place of the old one and ends the other sessions', async () => {
  const frank = await register('frank');
  const [kept, other, another] = [await signIn(frank), await signIn(frank), await signIn(frank)];
  const change = (oldPassword: string, newPassword: string) =>
    users.changePassword({ userId: frank.id, oldPassword, newPassword, keepSessionId: kept });
  await assert.rejects(change('wrong password', 'new password'), refusal('UNAUTHENTICATED'));
  const { revokedSessionIds } = await change(password, 'new password');
  assert.deepEqual(revokedSessionIds.sort(), [other, another].sort());
  assert.deepEqual(
    (await users.listSessions({ userId: frank.id })).sessions.map(({ id }) => id),
    [kept],
  );
  assert.equal((await users.verifyPassword({ username: 'frank', password })).valid, false);
  assert.equal((await users.verifyPassword({ username: 'frank', password: 'new password' })).valid, true);
});

test('a guest becomes a registered user under the same id, once', async () => {
  const before = await guest();
  await users.getUser({ userId: before.id });
  await assert.rejects(
    users.upgradeGuest({ userId: before.id, username: 'ALICE_1', password }),
    refusal('USERNAME_TAKEN'),
  );
  const held = await signIn(must(before), 60_000, credentialOfNobody);
  const { user, credential, revokedSessionIds } = await users.upgradeGuest({
    userId: before.id,
    username: 'Grown',
    password,
  });
  assert.deepEqual(revokedSessionIds, [held]);
  assert.deepEqual(await sessionsOf(before), [], 'who held the guest’s tokens is out');
  await assert.rejects(signIn(before, 60_000, credentialOfNobody), refusal('UNAUTHENTICATED'));
  await signIn(before, 60_000, credential);
  assert.deepEqual(user, { ...before, username: 'Grown', displayName: 'Grown', isGuest: false });
  assert.deepEqual((await users.getUser({ userId: before.id })).user, user);
  assert.equal((await users.verifyPassword({ username: 'grown', password })).valid, true);
  await assert.rejects(
    users.upgradeGuest({ userId: before.id, username: 'again', password }),
    refusal('PERMISSION_DENIED'),
  );
});

test('a display name that a guest chose survives the upgrade', async () => {
  const before = await guest();
  await users.updateUser({ userId: before.id, displayName: 'Me' });
  const { user } = await users.upgradeGuest({ userId: before.id, username: 'chosen', password });
  assert.equal(user?.displayName, 'Me');
});

test('whoever checked the old password is not signed in once there is a new one, in whatever order', async () => {
  const nora = await register('nora');
  const old = await credentialOf(nora);
  const kept = await signIn(nora);
  const signInWithTheOld = () => signIn(nora, 60_000, old).catch(() => undefined);
  let changed = false;
  const change = users
    .changePassword({
      userId: nora.id,
      oldPassword: password,
      newPassword: 'new password',
      keepSessionId: kept,
    })
    .finally(() => {
      changed = true;
    });
  // The caller's is in use, so that it is not the one to end where there are too many.
  while (!changed) await Promise.all([rotate(kept, 0), ...Array.from({ length: 5 }, signInWithTheOld)]);
  await change;
  assert.deepEqual(await sessionsOf(nora), [kept]);
  await assert.rejects(signIn(nora, 60_000, old), refusal('UNAUTHENTICATED'));
});

test('a refresh token begins the next generation, and again within 20 s gets the current one', async () => {
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

test('an older refresh token ends its session, and gateways are told until its access tokens expire', async () => {
  const user = await register('henry');
  const since = Date.now() - 1;
  const [session, other] = [await signIn(user), await signIn(user)];
  await rotate(session, 0);
  await age(session, 20_500);
  assert.deepEqual(await rotate(session, 0), { rotated: false, reused: true, generation: 0 });
  assert.deepEqual(await rotate(session, 1), { rotated: false, reused: false, generation: 0 });
  const named = { since, afterSessionId: '' };
  const { sessions, nextSince } = await users.listRevokedSessions(named);
  const told = must(sessions.find(({ id }) => id === session));
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

test('however many sessions end in the same millisecond, all are told, by pages', async () => {
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

test('of many who present the same refresh token at once one begins a generation, and all get it', async () => {
  const user = await register('iris');
  const session = await signIn(user);
  const results = await Promise.all(Array.from({ length: 8 }, () => rotate(session, 0)));
  assert.deepEqual(new Set(results.map(({ generation }) => generation)), new Set([1]));
  assert.deepEqual(await sessionsOf(user), [session]);
});

test('whoever refreshes too often gets the same token for a while, and is not signed out for it', async () => {
  const user = await register('ines');
  const session = await signIn(user);
  let generation = 0;
  for (let i = 0; i < 20; i++) generation = (await rotate(session, generation)).generation;
  assert.equal(generation, 16);
  assert.deepEqual(await rotate(session, 0), { rotated: true, reused: false, user, generation: 16 });
  await age(session, 21_000);
  assert.equal((await rotate(session, 16)).generation, 17);
});

test('an account has 100 sessions: one more ends the one that was unused for longest', async () => {
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

test('a session that had to wait for its end ended then, so that nobody misses it who asked meanwhile', async () => {
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
      return { ended, releasedAt: must(row).time };
    });
    await ended;
    const [row] = await databases.users.query<{ revoked_at: number }>(
      'SELECT revoked_at FROM sessions WHERE id = ?',
      [session],
    );
    assert.ok(must(row).revoked_at >= releasedAt, what);
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

test('a token that is newer than what the storage knows goes on: a backup was restored', async () => {
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
