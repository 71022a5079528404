import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { codeOf } from '../../../../lib/errors.ts';
import { refusal } from '../../../support/refused-with.ts';
import { openAccountsRepo, password, required } from '../../../support/repo/accounts-repo.ts';

const { parts, users, register, guest, signIn, credentialOf, rotate, sessionsOf } = await openAccountsRepo();

/** What a guest signs in with. */
const credentialOfNobody = createHash('sha256').update('').digest();

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
  const before = required(await count());
  await Promise.all(Array.from({ length: 20 }, guest));
  assert.deepEqual(await count(), { n: before.n + 20, v: before.v + 20 });
});

test('a name belongs to one account, in any case, and of concurrent registrations one gets it', async () => {
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
  assert.match(required(first).username, /^guest-[a-z2-9]{8}$/);
  assert.notEqual(required(first).username, required(second).username);
  assert.equal(required(first).isGuest, true);
  assert.deepEqual(await users.verifyPassword({ username: required(first).username, password: '' }), {
    valid: false,
    credential: Buffer.alloc(0),
    withoutPassword: false,
  });
  const asked = { username: '', userId: required(first).id, password: '' };
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

test('users come in the order of the request, and unknown users are left out', async () => {
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

test('a changed profile is in the next read, and in an event', async () => {
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
  const held = await signIn(required(before), 60_000, credentialOfNobody);
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

test('a sign-in that checked the old password fails once there is a new one, in whatever order they commit', async () => {
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
